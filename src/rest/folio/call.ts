import type { Call } from "../../core/index.js";

/** Who asks, in this API's words. */
export interface FolioCall extends Call {
  /** As `x-okapi-tenant` says it. */
  readonly tenantName: string;
  /** Undefined where nobody knows who it is: behind a gateway that names no user. */
  readonly user: { readonly id: string; readonly name: string } | undefined;
}
