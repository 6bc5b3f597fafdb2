/** What the server needs to put FOLIO's dialect on its port. */
export { folioOrigin } from "./admission.js";
export { type DateOffset, dateOffsets } from "./dates.js";
export { createDefinitions } from "./definitions.js";
export { createFolioDialect, type FolioDialect } from "./dialect.js";
export { createExtensions } from "./extensions.js";
export { createGateway } from "./gateway.js";
export { createFolioLogins } from "./logins.js";
export { createOkapiGate } from "./okapi.js";
export type { FolioServices } from "./services.js";
export { settleUpload } from "./status.js";
export { createFolioTokens } from "./tokens.js";
