import type { Access, Uploads } from "../../core/index.js";

/** What the rows of this face work with. */
export interface FolioServices {
  readonly uploads: Uploads;
  readonly access: Access;
}
