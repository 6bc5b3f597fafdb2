/** What the server needs to put IMiS's dialect on its port. */
export { createAdmission } from "./admission.js";
export { createImisDialect } from "./dialect.js";
export { createEntities } from "./entities/entities.js";
export type { ImisLimits } from "./limits.js";
export { createLogins } from "./logins/logins.js";
export { createObjects } from "./objects/objects.js";
export { createStreams } from "./objects/streams.js";
export type { ImisServices } from "./services.js";
export { createStagedObjects } from "./staged/staged-objects.js";
export { createUploadSessions } from "./uploads/upload-sessions.js";
