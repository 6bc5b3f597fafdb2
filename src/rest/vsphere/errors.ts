// Errors in the API's words: a type, and messages with an id and arguments.
import { isUploadError, type UploadError, type UploadErrorCode } from "../../core/index.js";
import { HttpProblem } from "../kit/index.js";
import type { Family } from "./call.js";
import type { localizableMessage } from "./operations/models.js";
import type { ValueOf } from "./schema.js";

export type LocalizableMessage = ValueOf<typeof localizableMessage>;

/** The documented types, with the status of each in 6.x and in 7 and later. */
const statuses = {
  invalid_argument: [400, 400],
  invalid_element_type: [400, 400],
  already_exists: [400, 400],
  not_allowed_in_current_state: [400, 400],
  unsupported: [400, 400],
  resource_in_use: [400, 400],
  invalid_request: [400, 400],
  resource_busy: [400, 500],
  concurrent_change: [400, 409],
  resource_inaccessible: [400, 500],
  unable_to_allocate_resource: [400, 400],
  not_found: [404, 404],
  operation_not_found: [404, 404],
  unauthenticated: [401, 401],
  unauthorized: [403, 403],
  internal_server_error: [500, 500],
  service_unavailable: [503, 503],
  timed_out: [504, 504],
} as const satisfies Record<string, readonly [rest: number, api: number]>;

export type VapiErrorType = keyof typeof statuses;

/** An error that is answered as it is. */
export class VapiError extends Error {
  override readonly name = "VapiError";
  constructor(
    readonly type: VapiErrorType,
    readonly messages: readonly [LocalizableMessage, ...LocalizableMessage[]],
    /** Where HTTP has a status of its own for it; the type's otherwise. */
    readonly status?: number,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(messages[0].default_message);
  }
}

export function statusOf({ type, status }: Pick<VapiError, "type" | "status">, family: Family): number {
  return status ?? statuses[type][family === "rest" ? 0 : 1];
}

/** A message of this server; those that vCenter has an id for are said by that. */
export function message(id: string, text: string, args: readonly string[] = []): LocalizableMessage {
  return { id: id.includes(".") ? id : `slipway.${id}`, default_message: text, args };
}

/** An error with one message. */
export function vapiError(type: VapiErrorType, id: string, text: string, args: readonly string[] = []): VapiError {
  return new VapiError(type, [message(id, text, args)]);
}

export function invalidArgument(id: string, text: string, args: readonly string[] = []): VapiError {
  return vapiError("invalid_argument", id, text, args);
}

const types: Record<UploadErrorCode, VapiErrorType> = {
  invalid: "invalid_argument",
  unauthenticated: "unauthenticated",
  denied: "unauthorized",
  not_found: "not_found",
  already_exists: "already_exists",
  conflict: "invalid_argument",
  busy: "resource_busy",
  wrong_state: "not_allowed_in_current_state",
  incomplete: "not_allowed_in_current_state",
  superseded: "not_allowed_in_current_state",
  offset_mismatch: "invalid_argument",
  expired: "not_allowed_in_current_state",
  checksum_mismatch: "invalid_argument",
  too_large: "invalid_argument",
  too_many: "unable_to_allocate_resource",
  unsupported: "invalid_argument",
  damaged: "internal_server_error",
  unavailable: "service_unavailable",
};

/** Reasons whose type is another than their code's. */
const typesOfReasons: Partial<Record<UploadError["details"]["reason"], VapiErrorType>> = {
  VERSION_CHANGED: "concurrent_change",
  RECORD_CHANGED: "concurrent_change",
  // Ids are opaque to clients: one that no thing can have is as unknown as any other.
  ID_MALFORMED: "not_found",
};

/** Errors of HTTP itself that the API has a type for; what is not here is an `invalid_request`. */
const typesOfStatuses: Readonly<Record<number, VapiErrorType>> = {
  400: "invalid_argument",
  401: "unauthenticated",
  403: "unauthorized",
  404: "not_found",
  408: "timed_out",
  503: "service_unavailable",
};

/** The error in the API's words; undefined for one that nobody foresaw. */
export function toVapiError(error: unknown): VapiError | undefined {
  if (error instanceof VapiError) return error;
  if (error instanceof HttpProblem) return fromProblem(error);
  return isUploadError(error) ? fromUploadError(error) : undefined;
}

function fromProblem({ status, message: text, headers }: HttpProblem): VapiError {
  const type = typesOfStatuses[status] ?? "invalid_request";
  return new VapiError(type, [message("http", text, [String(status)])], status, headers);
}

function fromUploadError(error: UploadError): VapiError {
  const { code, details } = error;
  const type = typesOfReasons[details.reason] ?? types[code];
  const { subject, declared, actual, expectedOffset, limit } = details;
  const text = limit === undefined ? error.message : `${error.message} (${limit.setting}=${limit.value})`;
  const args = [subject, declared, actual, expectedOffset].filter((arg) => arg !== undefined).map(String);
  const status = details.reason === "LOGIN_THROTTLED" ? 429 : undefined;
  return new VapiError(type, [message(details.reason.toLowerCase(), text, args)], status);
}
