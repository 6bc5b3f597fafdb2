import { createCapabilities } from "../access/capabilities.js";
import { claimUpload } from "../core/index.js";
import { type CapabilityDeps, capabilityPrefix, createCapabilityHandler, type WireHandler } from "../rest/kit/index.js";
import type { OfferUpload } from "../rpc/upload-endpoint.js";

/** Both ends of `/t/{token}`: making such a path, and answering what is asked of it. */
export function createCapabilityUrls(deps: Omit<CapabilityDeps, "capabilities"> & { readonly key: Uint8Array }): {
  readonly offerUpload: OfferUpload;
  readonly handle: WireHandler;
} {
  const capabilities = createCapabilities(deps);
  return {
    offerUpload(file, caller) {
      const claim = claimUpload(file, caller, deps.now());
      return { path: capabilityPrefix + capabilities.sign(claim), expiresAt: new Date(claim.deadline * 1000) };
    },
    handle: createCapabilityHandler({ ...deps, capabilities }),
  };
}
