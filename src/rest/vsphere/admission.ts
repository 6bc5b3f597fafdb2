import {
  type Access,
  type Caller,
  type CapabilityClaim,
  type CapabilityPurpose,
  defaultTenant,
  isUploadError,
  type Permission,
  type Principal,
} from "../../core/index.js";
import { type Admitted, findCookie, nobodysId, type WireRequest } from "../kit/index.js";
import { type VsphereCall, vsphereOrigin } from "./call.js";
import { type DataUrls, noSuchUrl } from "./data-urls.js";
import { vapiError } from "./errors.js";
import type { VsphereFacts } from "./operation.js";

/** The header that shows a login, and the cookie that stands for it. */
export const loginHeader = "vmware-api-session-id";

/** What somebody must still be permitted for whom a URL of content was made. */
const permissions: Record<CapabilityPurpose, Permission> = { upload: "upload", download: "read" };

export interface AdmissionDeps {
  readonly access: Pick<Access, "authenticate" | "principalOf">;
  readonly dataUrls: Pick<DataUrls, "verify">;
  /** The origins, beside this server's own, whose pages may send cookies. */
  readonly origins: readonly string[];
}

/**
 * Lets in who shows a login, who is about to make one, or who has a URL that content is sent to or read from. Such a URL
 * is all that it takes: a login beside it is not looked at, and one that leads nowhere is the same 404 in every case.
 */
export function createAdmission(deps: AdmissionDeps) {
  const { access, dataUrls, origins } = deps;

  async function admitLogin(request: WireRequest, { family }: VsphereFacts): Promise<Admitted<VsphereCall>> {
    const token = findLogin(request, origins);
    const credentials = token === undefined ? undefined : ({ kind: "token", token } as const);
    const principal = await access.authenticate(credentials, "vsphere", { address: request.peerAddress });
    return admittedAs(principal, { family, wire: request, claim: undefined });
  }

  async function admitUrl(request: WireRequest, { family }: VsphereFacts): Promise<Admitted<VsphereCall>> {
    const claim = dataUrls.verify(tokenIn(request.path));
    if (claim === undefined) throw noSuchUrl();
    const principal = await access.principalOf(claim).catch(hideStanding);
    if (!principal.caller.permissions.has(permissions[claim.purpose])) throw noSuchUrl();
    const admitted = admittedAs(principal, { family, wire: request, claim });
    return {
      ...admitted,
      use() {
        try {
          admitted.use();
        } catch (error) {
          hideStanding(error);
        }
      },
    };
  }

  return async (request: WireRequest, facts: VsphereFacts): Promise<Admitted<VsphereCall>> => {
    if (facts.admits === "login") return admitLogin(request, facts);
    return facts.admits === "nothing" ? admitUrl(request, facts) : admitNobody(request, facts);
  };
}

/** Whoever it is, the operation that makes logins says. */
function admitNobody(request: WireRequest, { family }: VsphereFacts): Admitted<VsphereCall> {
  const caller: Caller = {
    tenantId: nobodysId,
    userId: nobodysId,
    permissions: new Set(),
    origin: vsphereOrigin,
  };
  const nothing = { userName: "", login: undefined, claim: undefined };
  return { call: { caller, signal: request.signal, family, wire: request, ...nothing }, use: () => undefined };
}

function admittedAs(
  { caller, tenant, user, token, use }: Principal,
  of: Pick<VsphereCall, "family" | "wire"> & { readonly claim: CapabilityClaim | undefined },
): Admitted<VsphereCall> {
  const userName = tenant.name === defaultTenant ? user.name : `${tenant.name}/${user.name}`;
  return {
    call: { caller: { ...caller, origin: vsphereOrigin }, signal: of.wire.signal, userName, login: token, ...of },
    user: `${tenant.name}/${user.name}`,
    use,
  };
}

/** Throws `unauthenticated` when a header that is repeated shows different ones. */
function findLogin(request: WireRequest, origins: readonly string[]): string | undefined {
  const sent = (request.headers[loginHeader] ?? "").split(",").map((value) => value.trim());
  const [token, ...others] = new Set(sent.filter((value) => value !== ""));
  if (others.length > 0) {
    throw vapiError("unauthenticated", "login_ambiguous", `the header ${loginHeader} shows different logins`);
  }
  return token ?? findCookie(request, loginHeader, origins);
}

/** `{prefix}/{token}/{name}`, with or without `/rest` in front. */
function tokenIn(path: string): string {
  return /^(?:\/rest)?\/com\/vmware\/cis\/data\/([^/]*)/.exec(path)?.[1] ?? "";
}

/** A URL in the name of somebody who is gone, or may do this no more, leads nowhere. */
function hideStanding(error: unknown): never {
  throw isUploadError(error, "unauthenticated", "denied") ? noSuchUrl() : error;
}
