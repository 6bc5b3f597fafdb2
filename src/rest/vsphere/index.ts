/** What the server needs to put VMware's dialect on its port. */
export { createAdmission } from "./admission.js";
export { createItems } from "./catalog/items.js";
export { createLibraries } from "./catalog/libraries.js";
export { createDataUrls } from "./data-urls.js";
export { createVsphereDialect } from "./dialect.js";
export { createDownloads } from "./downloads/downloads.js";
export { createLogins } from "./logins/logins.js";
export { createProbe } from "./probe.js";
export type { VsphereServices } from "./services.js";
export { createSessionFiles } from "./sessions/session-files.js";
export { createUpdateSessions } from "./sessions/update-sessions.js";
export { createUploadContent } from "./sessions/upload-content.js";
