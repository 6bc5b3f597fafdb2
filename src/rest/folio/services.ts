import type { Access } from "../../core/index.js";
import type { Definitions } from "./definitions.js";
import type { Extensions } from "./extensions.js";
import type { FolioLogins } from "./logins.js";

/** What the rows of this face work with. */
export interface FolioServices {
  readonly access: Access;
  readonly definitions: Definitions;
  readonly extensions: Extensions;
  readonly logins: FolioLogins;
}
