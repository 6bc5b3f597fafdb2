/** What dialects, and the server, use of the shared mechanics. */
export { beginBody } from "./begin-body.js";
export { type CapabilityDeps, capabilityPrefix, createCapabilityHandler } from "./capability.js";
export { answerContent } from "./content-answer.js";
export { findCookie } from "./cookies.js";
export type { Admitted, Dialect, UnreadRule } from "./dialect.js";
export { createDialectHandler, type DialectHandler, type DialectOptions } from "./handler.js";
export type { NamedLimit } from "./json-body.js";
export { HttpProblem } from "./problem.js";
export { createRoute, type PathNames, type RawBody, type RoutedRequest, type Row } from "./route.js";
export { whileUsed } from "./while-used.js";
export type { WireHandler, WireRequest, WireResponse } from "./wire.js";
