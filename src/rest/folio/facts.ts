import type { Permission } from "../../core/index.js";
import { permissionFacts } from "./permissions.js";

/** What a row of the table tells the gateway before anyone reads the body. */
export interface FolioFacts {
  /** The name that FOLIO gives the permission. Without one, nobody has to be logged in. */
  readonly permission?: string;
  /** The core's permission that stands for it; without one, any user has it. */
  readonly needs?: Permission;
  /** The media type of the body, where one is read. */
  readonly consumes?: string;
  /** The media types that an answer may have, where it has any. */
  readonly produces?: readonly string[];
}

/** What most rows answer with: what was asked for, or a text that says why not. */
export const produces = ["application/json", "text/plain"];

/** The facts of a row of `/data-import` that needs this permission of it, and takes a body of this type if any. */
export function needing(permission: string, consumes?: string): FolioFacts {
  return { ...permissionFacts(`data-import.${permission}`), produces, ...(consumes && { consumes }) };
}
