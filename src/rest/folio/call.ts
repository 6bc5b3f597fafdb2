import type { Call } from "../../core/index.js";

/** A call of this face: it knows the tenant by name, and the user where there is one. */
export interface FolioCall extends Call {
  readonly tenantName: string;
  readonly user: { readonly id: string; readonly name: string } | undefined;
}
