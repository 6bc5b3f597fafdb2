import type { Permission } from "../../core/index.js";

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

const produces = ["application/json", "text/plain"];

/** What rows of `/data-import` are about: what the caller may see; what it may bring; how its tenant works. */
export function reads(name: string): FolioFacts {
  return { permission: `data-import.${name}`, needs: "read", produces };
}

export function writes(name: string, consumes?: string): FolioFacts {
  return { ...reads(name), needs: "upload", ...(consumes && { consumes }) };
}

export function settles(name: string, consumes?: string): FolioFacts {
  return { ...writes(name, consumes), needs: "administer" };
}
