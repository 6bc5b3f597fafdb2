import type { Dialect } from "../kit/index.js";
import type { createAdmission } from "./admission.js";
import type { VsphereCall } from "./call.js";
import { createDataRows } from "./data/rows.js";
import type { VsphereFacts } from "./operation.js";
import type { VsphereServices } from "./services.js";
import { table } from "./table.js";
import { apology, createOperationRows, lose, refuse } from "./wire/index.js";

export type VsphereDialect = Dialect<VsphereServices, VsphereFacts, VsphereCall> & { readonly name: "vsphere" };

/** VMware's content library as its clients know it, by the paths of 6.x and those of 7 and later. */
export function createVsphereDialect(admit: ReturnType<typeof createAdmission>): VsphereDialect {
  return {
    name: "vsphere",
    prefixes: ["/rest", "/com/vmware", "/api"],
    rows: [...createOperationRows(table), ...createDataRows()],
    trailingSlash: "optional",
    queryNames: "exact",
    unread: "close",
    admit,
    lose,
    refuse,
    apology,
  };
}
