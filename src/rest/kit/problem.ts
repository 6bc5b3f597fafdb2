// Errors as application/problem+json (RFC 9457).
import { isUploadError, noteOf, type TakeNote, type UploadError, type UploadErrorCode } from "../../core/index.js";
import type { WireResponse } from "./wire.js";

/** What HTTP itself refuses, before any operation is asked. */
export class HttpProblem extends Error {
  override readonly name = "HttpProblem";
  constructor(
    readonly status: HttpProblemStatus,
    detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
  }
}

const titles = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

export type HttpProblemStatus = keyof typeof titles;

const statuses: Record<UploadErrorCode, HttpProblemStatus> = {
  invalid: 400,
  unauthenticated: 401,
  denied: 403,
  not_found: 404,
  already_exists: 409,
  conflict: 409,
  busy: 409,
  wrong_state: 409,
  incomplete: 409,
  superseded: 409,
  offset_mismatch: 409,
  expired: 410,
  checksum_mismatch: 400,
  too_large: 413,
  too_many: 429,
  unsupported: 415,
  damaged: 500,
  unavailable: 503,
};

/** The answer to an error that has one, which is noted; throws every other one on. */
export function problemFrom(error: unknown, note?: TakeNote): WireResponse {
  if (isUploadError(error)) {
    note?.(noteOf(error));
    return uploadProblem(error);
  }
  if (!(error instanceof HttpProblem)) throw error;
  note?.({ code: error.status === 404 ? "not_found" : "refused" });
  const { status, message: detail, headers } = error;
  return problem({ type: "about:blank", title: titles[status], status, detail }, headers);
}

function uploadProblem({ code, message: detail, details }: UploadError): WireResponse {
  const status = statuses[code];
  const { reason, expectedOffset, declared, actual, missing, limit } = details;
  // Registered by "Resumable Uploads for HTTP"; a title goes with a type.
  const kind =
    code === "offset_mismatch"
      ? {
          type: "https://iana.org/assignments/http-problem-types#mismatching-upload-offset",
          title: "offset from request does not match offset of resource",
        }
      : { type: "about:blank", title: titles[status] };
  const more = { code, reason, "expected-offset": expectedOffset, declared, actual, missing, limit };
  return problem({ ...kind, status, detail, ...more });
}

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: HttpProblemStatus;
  readonly detail: string;
  readonly [member: string]: unknown;
}

function problem(body: Problem, headers: Readonly<Record<string, string>> = {}): WireResponse {
  const common = { "content-type": "application/problem+json", "cache-control": "no-store" };
  return { status: body.status, headers: { ...common, ...headers }, body: `${JSON.stringify(body)}\n` };
}
