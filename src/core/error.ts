/**
 * Every way an operation can fail that a caller may act on. Adding one breaks the build of every protocol until it says
 * what it means there.
 */
export const uploadErrorCodes = [
  "invalid",
  "unauthenticated",
  "denied",
  "not_found",
  "already_exists",
  "conflict",
  "busy",
  "wrong_state",
  "incomplete",
  "superseded",
  "offset_mismatch",
  "expired",
  "checksum_mismatch",
  "too_large",
  "too_many",
  "unsupported",
  "damaged",
  "unavailable",
] as const;

export type UploadErrorCode = (typeof uploadErrorCodes)[number];

/** The closed list beneath the codes: what exactly was wrong, for clients that decide by it. */
export const uploadErrorReasons = [
  "ALGORITHM_UNKNOWN",
  "ATTRIBUTES_INVALID",
  "BYTES_DIFFER",
  "CHECKSUM_DIFFERS",
  "CHECKSUM_MALFORMED",
  "CLIENT_TOKEN_REUSED",
  "DATABASE_UNAVAILABLE",
  "DURATION_INVALID",
  "FILE_EXISTS",
  "FILE_NOT_FOUND",
  "FILE_STATE",
  "FILES_INCOMPLETE",
  "FINISH_MISSING",
  "ID_MALFORMED",
  "ITEM_BUSY",
  "ITEM_NOT_FOUND",
  "LIBRARY_NOT_FOUND",
  "NAME_INVALID",
  "NAME_TAKEN",
  "NO_CONTENT",
  "NUMBER_INVALID",
  "OFFSET_UNEXPECTED",
  "PAGE_INVALID",
  "PART_SHORT",
  "PERMISSION_MISSING",
  "PREDICATE_INVALID",
  "PROGRESS_INVALID",
  "RECORD_CHANGED",
  "SESSION_EXPIRED",
  "SESSION_NOT_FOUND",
  "SESSION_STATE",
  "SIZE_DIFFERS",
  "SIZE_EXCEEDED",
  "STORAGE_UNAVAILABLE",
  "TEXT_INVALID",
  "TOKEN_INVALID",
  "TOO_MANY_FILES",
  "TOO_MANY_SESSIONS",
  "VERSION_CHANGED",
  "WRITER_SUPERSEDED",
  "STREAM_ORDER",
  "BLOB_NOT_FOUND",
  "LAST_ADMINISTRATOR",
  "LOGIN_FAILED",
  "LOGIN_THROTTLED",
  "PASSWORD_INVALID",
  "TENANT_IN_USE",
  "TENANT_NOT_FOUND",
  "TOKEN_NOT_FOUND",
  "TOO_MANY_BLOBS",
  "TOO_MANY_WATCHES",
  "USER_NOT_FOUND",
  "CHECK_RUNNING",
  "CONTENT_DAMAGED",
  "SOURCE_INVALID",
  "TOO_MANY_PROBES",
] as const;

export type UploadErrorReason = (typeof uploadErrorReasons)[number];

/** What a protocol may show beside the code. Everything here may cross the wire; `cause` never does. */
export interface UploadErrorDetails {
  readonly reason: UploadErrorReason;
  /** Where the next byte belongs, when the error is about an offset (bytes). */
  readonly expectedOffset?: number;
  /** What it is about: the id or the name of what is not there, is busy or taken, or the permission that is missing. */
  readonly subject?: string;
  /** Declared and computed values, when a checksum or a size differs. */
  readonly declared?: string;
  readonly actual?: string;
  /** What is still missing, when something is incomplete: file names, at most 100. */
  readonly missing?: readonly string[];
  /** The id of what a client token was given for, when that is gone since. */
  readonly made?: string;
  /** The limit that was hit: the setting's name and its value. */
  readonly limit?: { readonly setting: string; readonly value: number };
}

/**
 * The one error class. Messages are lower case, without a full stop, and name the thing and the value; codes and
 * reasons are promises, messages are not. `cause` is for the log only.
 */
export class UploadError extends Error {
  override readonly name = "UploadError";
  constructor(
    readonly code: UploadErrorCode,
    message: string,
    readonly details: UploadErrorDetails,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** True when `error` is an UploadError, of one of `codes` if any are given. */
export function isUploadError(error: unknown, ...codes: readonly UploadErrorCode[]): error is UploadError {
  return error instanceof UploadError && (codes.length === 0 || codes.includes(error.code));
}
