// Errors of this face: one shape, and a closed list of codes.
import { isUploadError, type UploadError, type UploadErrorCode, type UploadErrorReason } from "../../core/index.js";
import { HttpProblem, type WireResponse } from "../kit/index.js";

/** Every code that a client may meet, with the status that goes with it unless a refusal says another. */
export const imisStatuses = {
  request_invalid: 400,
  content_type_invalid: 400,
  content_range_required: 400,
  content_range_invalid: 400,
  content_length_mismatch: 400,
  length_inconsistent: 400,
  digest_invalid: 400,
  part_too_small: 400,
  unauthenticated: 401,
  access_denied: 403,
  handle_read_only: 403,
  operation_not_found: 404,
  archive_not_found: 404,
  entity_not_found: 404,
  handle_not_found: 404,
  session_not_found: 404,
  object_not_found: 404,
  stream_not_found: 404,
  container_not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  part_conflict: 409,
  superseded: 409,
  already_saved: 409,
  session_empty: 409,
  incomplete: 409,
  digest_mismatch: 409,
  entity_busy: 409,
  name_taken: 409,
  state_conflict: 409,
  session_gone: 410,
  handle_closed: 410,
  stream_gone: 410,
  length_required: 411,
  body_too_large: 413,
  part_too_large: 413,
  object_too_large: 413,
  coding_unsupported: 415,
  range_not_satisfiable: 416,
  too_many_sessions: 429,
  too_many_handles: 429,
  too_many_streams: 429,
  too_many_requests: 429,
  internal: 500,
  content_damaged: 500,
  unavailable: 503,
} as const satisfies Record<string, number>;

export type ImisErrorCode = keyof typeof imisStatuses;

/** What a client may decide by, beside the code. */
export interface ImisErrorDetails {
  readonly [name: string]: string | number | boolean | undefined;
}

/** A refusal in the words of this face. */
export class ImisError extends Error {
  override readonly name = "ImisError";
  constructor(
    readonly code: ImisErrorCode,
    text: string,
    readonly details: ImisErrorDetails = {},
    /** Where one code has two statuses, and what goes into the answer's head. */
    readonly answer: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(text);
  }

  get status(): number {
    return this.answer.status ?? imisStatuses[this.code];
  }
}

const codes: Record<UploadErrorCode, ImisErrorCode> = {
  invalid: "request_invalid",
  unauthenticated: "unauthenticated",
  denied: "access_denied",
  not_found: "object_not_found",
  already_exists: "name_taken",
  conflict: "part_conflict",
  busy: "entity_busy",
  wrong_state: "state_conflict",
  incomplete: "incomplete",
  superseded: "superseded",
  offset_mismatch: "range_not_satisfiable",
  expired: "session_gone",
  checksum_mismatch: "digest_mismatch",
  too_large: "object_too_large",
  too_many: "too_many_requests",
  unsupported: "request_invalid",
  damaged: "content_damaged",
  unavailable: "unavailable",
};

const codesOfReasons: Partial<Record<UploadErrorReason, ImisErrorCode>> = {
  ALGORITHM_UNKNOWN: "digest_invalid",
  CHECKSUM_MALFORMED: "digest_invalid",
  ITEM_NOT_FOUND: "entity_not_found",
  LIBRARY_NOT_FOUND: "archive_not_found",
  SESSION_NOT_FOUND: "session_not_found",
  TOO_MANY_SESSIONS: "too_many_sessions",
};

const codesOfStatuses: Readonly<Record<number, ImisErrorCode>> = {
  404: "operation_not_found",
  405: "method_not_allowed",
  408: "request_timeout",
  411: "length_required",
  413: "body_too_large",
  415: "coding_unsupported",
  416: "range_not_satisfiable",
};

/** The error in this face's words; undefined for one that nobody foresaw. */
export function toImisError(error: unknown): ImisError | undefined {
  if (error instanceof ImisError) return error;
  if (isUploadError(error)) return fromUploadError(error);
  if (!(error instanceof HttpProblem)) return undefined;
  const { status, message, headers } = error;
  return new ImisError(codesOfStatuses[status] ?? "request_invalid", message, {}, { status, headers });
}

function fromUploadError({ code, message, details }: UploadError): ImisError {
  const { expectedOffset, declared, actual, limit } = details;
  const told = { expected_offset: expectedOffset, declared, actual, setting: limit?.setting, limit: limit?.value };
  const own = codesOfReasons[details.reason] ?? codes[code];
  const headers: Record<string, string> = imisStatuses[own] === 429 ? { "retry-after": "60" } : {};
  return new ImisError(own, message, told, { headers });
}

/** The one shape that errors have. */
export function answerError(error: ImisError): WireResponse {
  const { code, message, status, details, answer } = error;
  return {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      ...(status === 401 && { "www-authenticate": 'Bearer realm="slipway"' }),
      ...answer.headers,
    },
    body: `${JSON.stringify({ error: { code, message, status, details } })}\n`,
  };
}

/** What is answered where nobody foresaw what happened. */
export const apology: WireResponse = answerError(new ImisError("internal", "internal error"));
