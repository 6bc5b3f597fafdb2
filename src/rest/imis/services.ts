import type { Entities } from "./entities/entities.js";
import type { Logins } from "./logins/logins.js";
import type { Objects } from "./objects/objects.js";
import type { Streams } from "./objects/streams.js";
import type { StagedObjects } from "./staged/staged-objects.js";
import type { UploadSessions } from "./uploads/upload-sessions.js";

/** What the rows of this face ask. */
export interface ImisServices {
  readonly logins: Logins;
  readonly entities: Entities;
  readonly uploadSessions: UploadSessions;
  readonly objects: Objects;
  readonly streams: Streams;
  readonly staged: StagedObjects;
  /** Whether extensions of objects are told with their dot. */
  readonly extensionDot: boolean;
}
