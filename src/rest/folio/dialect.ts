import type { Dialect } from "../kit/index.js";
import type { FolioGate } from "./admission.js";
import type { FolioCall } from "./call.js";
import type { DateOffset } from "./dates.js";
import type { FolioFacts } from "./facts.js";
import { loginRows } from "./login-rows.js";
import { moduleRows } from "./module-rows.js";
import { apology, refuse } from "./refusals.js";
import { createDefinitionRows } from "./definition-rows.js";
import { createExtensionRows } from "./extension-rows.js";
import type { FolioServices } from "./services.js";
import { tenantRows } from "./tenant-rows.js";

/** Its clients send everything before they read anything. */
const unread = { drainBytes: 256 * 2 ** 20, drainMs: 30_000 };

export type FolioDialect = Dialect<FolioServices, FolioFacts, FolioCall> & { readonly name: "folio" };

/**
 * FOLIO's data-import as its clients know it: behind a gateway of its own, which is part of this server (`login`), or as
 * the module behind Okapi (`okapi`).
 */
export function createFolioDialect(gate: FolioGate, mode: "login" | "okapi", offset: DateOffset): FolioDialect {
  return {
    name: "folio",
    prefixes: ["/data-import", "/authn", "/bl-users", "/admin", "/_"],
    rows: [
      ...createDefinitionRows(offset),
      ...createExtensionRows(offset),
      ...moduleRows,
      ...(mode === "login" ? loginRows : tenantRows),
    ],
    trailingSlash: "optional",
    queryNames: "any case",
    unread,
    admit: gate.admit,
    lose: gate.lose,
    refuse,
    apology,
  };
}
