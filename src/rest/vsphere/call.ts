import type { AccessToken, Call, CapabilityClaim } from "../../core/index.js";
import type { WireRequest } from "../kit/index.js";

/** The face, as sessions know where they come from. */
export const vsphereOrigin = "vsphere";

/** The two generations of the API: `/rest` of 6.x (with or without that word in front), and `/api` of 7 and later. */
export type Family = "rest" | "api";

/** Who asks, and through what. */
export interface VsphereCall extends Call {
  readonly family: Family;
  /** `tenant/name`, or a bare name of the default tenant; empty for somebody who is about to log in. */
  readonly userName: string;
  /** The login that was shown, if one was. */
  readonly login: AccessToken | undefined;
  /** What the URL itself lets do, where it is one that needs no login. */
  readonly claim: CapabilityClaim | undefined;
  readonly wire: WireRequest;
}
