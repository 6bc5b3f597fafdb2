import { UploadError } from "../../core/index.js";
import { embeddedStoppedCode } from "./embedded/server.js";

// Connection lost or refused by the server; short of connections, memory or disk; a disk error.
const unavailableStates = /^(?:08...|57P0.|53...|58030|25006)$/;

const unavailableCodes = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
  embeddedStoppedCode,
]);

// The driver and its pool throw these without a code; knex puts the query and " - " before them.
const unavailableMessages =
  /(?:^| - )(?:Connection terminated.*|Connection ended unexpectedly|timeout expired|Query read timeout|Client (?:has encountered a connection error|was closed) and is not queryable)$/;

/**
 * Translates what says that the database cannot be used now into `unavailable` (DATABASE_UNAVAILABLE); everything else,
 * UploadErrors included, is returned as it is.
 */
export function toUploadError(error: unknown): unknown {
  if (!isUnavailable(error)) return error;
  return new UploadError("unavailable", "the database is not available", { reason: "DATABASE_UNAVAILABLE" }, error);
}

/** True when the transaction lost against another one and may be run again from its start. */
export function isRetryable(error: unknown): boolean {
  return hasCode(error, "40001") || hasCode(error, "40P01");
}

/** True when a unique constraint or index (`constraint`, if given) refused the row. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (!hasCode(error, "23505")) return false;
  return constraint === undefined || (error as { constraint?: unknown }).constraint === constraint;
}

/** True when what the row refers to is not there. */
export function isForeignKeyViolation(error: unknown): boolean {
  return hasCode(error, "23503");
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof UploadError) return false;
  if (error.name === "KnexTimeoutError") return true;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  // A server on a unix socket that is down: its socket file is missing.
  if (code === "ENOENT") return syscall === "connect";
  if (typeof code === "string") return unavailableStates.test(code) || unavailableCodes.has(code);
  return unavailableMessages.test(error.message);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === code;
}
