import { UploadError } from "../../core/index.js";

/**
 * What the medium's own error codes mean for the whole store. A code that is not here is a bug, not a state of the
 * medium.
 */
const mediumFailures: Readonly<Record<string, string>> = {
  EACCES: "permission was denied",
  EDQUOT: "its quota is used up",
  EFBIG: "the file system takes no larger file",
  EIO: "the device failed",
  EMFILE: "the process has too many open files",
  ENFILE: "the system has too many open files",
  ENODEV: "the device is gone",
  ENOENT: "a folder of it is missing",
  ENOSPC: "no space is left",
  EPERM: "the operation is not permitted",
  EROFS: "the file system is read-only",
  ESTALE: "the network file system lost it",
};

/** The error code of a failed system call, if `error` is one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** A recognised failure of the medium as `unavailable`, with the original as its cause; anything else unchanged. */
export function storageError(error: unknown): unknown {
  const code = errorCode(error);
  const meaning = code === undefined ? undefined : mediumFailures[code];
  return meaning === undefined ? error : unavailable(`the blob store failed: ${meaning} (${code})`, error);
}

/** Bytes that a row names and that are not there, or not as they were written: no retry helps. */
export function damageError(key: string, what: string, cause?: unknown): UploadError {
  const message = `stored bytes ${JSON.stringify(key.slice(0, 128))} are damaged: ${what}`;
  return new UploadError("damaged", message, { reason: "CONTENT_DAMAGED" }, cause);
}

export function unavailable(message: string, cause?: unknown): UploadError {
  return new UploadError("unavailable", message, { reason: "STORAGE_UNAVAILABLE" }, cause);
}
