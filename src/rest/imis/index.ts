/** What the server needs to put IMiS's dialect on its port. */
export { createAdmission } from "./admission.js";
export { createImisDialect } from "./dialect.js";
export type { ImisLimits } from "./limits.js";
