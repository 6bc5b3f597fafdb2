/** What dialects, and the server, use of the shared mechanics. */
export { type CapabilityDeps, capabilityPrefix, createCapabilityHandler } from "./capability.js";
export type { WireHandler, WireRequest, WireResponse } from "./wire.js";
