import type { Permission } from "../../../core/index.js";

/** A content object of an entity, as everyone who may read the entity sees it. */
export interface ImisObject {
  /** The name of the item's file; of what was saved through this face, a UUID. */
  readonly id: string;
  readonly containerId: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
  readonly contentType: string;
  /** SHA-256 in lower-case hex. */
  readonly sha256: string;
  /** What whoever asks may do. */
  readonly permissions: ReadonlySet<Permission>;
}
