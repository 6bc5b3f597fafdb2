/** All that the outside may import from the core. */
export * from "./blob.js";
export * from "./error.js";
export type * from "./ports/blob-store.js";
