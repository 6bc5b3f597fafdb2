/** What dialects, and the server, use of the shared mechanics. */
export { preferredType } from "./accept.js";
export { announcedLength } from "./announced-length.js";
export { beginBody } from "./begin-body.js";
export { type CapabilityDeps, capabilityPrefix, createCapabilityHandler } from "./capability.js";
export { parseWholePart } from "./capability-part.js";
export { answerContent } from "./content-answer.js";
export { isMediaType } from "./content-headers.js";
export { findCookie } from "./cookies.js";
export type { Admitted, Dialect, UnreadRule } from "./dialect.js";
export { parseDigestField } from "./digest-fields.js";
export { createDialectHandler, type DialectHandler, type DialectOptions } from "./handler.js";
export { parseJson } from "./json.js";
export { HttpProblem } from "./problem.js";
export { parsePairs } from "./query.js";
export { createRoute, type PathNames, type RawBody, type RoutedRequest, type Row } from "./route.js";
export type { NamedLimit } from "./text-body.js";
export { whileUsed } from "./while-used.js";
export type { WireHandler, WireRequest, WireResponse } from "./wire.js";
