/** What dialects, and the server, use of the shared mechanics. */
export { type CapabilityDeps, capabilityPrefix, createCapabilityHandler } from "./capability.js";
export type { Admitted, Dialect, UnreadRule } from "./dialect.js";
export { HttpProblem } from "./problem.js";
export { createRoute, type PathNames, type RawBody, type RoutedRequest, type Row } from "./route.js";
export type { WireHandler, WireRequest, WireResponse } from "./wire.js";
