// What went wrong when a file could not be fetched, and whether another try may do better.
import { isUploadError } from "../../error.js";
import type { Failure } from "../../failure.js";
import type { Source } from "../../source.js";
import { formatSourceAddress } from "../../source-address.js";
import { isSourceError, SourceError } from "../../source-error.js";

/** Why a try ended, and what follows from it. */
export interface Trouble {
  readonly problem: Failure;
  readonly isFinal: boolean;
  readonly retryAfterMs?: number | undefined;
  /** True when what is stored is of no use: it is fetched anew. */
  readonly fromZero?: boolean;
}

/** Undefined when the service's own parts failed, and nothing can be said of the file. */
export function troubleOf(error: unknown, source: Source | undefined): Trouble | undefined {
  if (isUploadError(error, "damaged")) {
    const message = "bytes that had been stored were lost or damaged on the server; they have to be fetched again";
    return { problem: { reason: "content_damaged", message }, isFinal: false, fromZero: true };
  }
  const wrong = problemOf(error, source);
  if (wrong === undefined) return undefined;
  const { message, failure, isFinal, retryAfterMs } = wrong;
  return { problem: { reason: "source_failed", message, source: failure }, isFinal, retryAfterMs };
}

/** What to tell of the source; undefined when it was not the source's fault. */
function problemOf(error: unknown, source: Source | undefined): SourceError | undefined {
  if (isSourceError(error)) return error;
  if (source === undefined) return undefined;
  const where = formatSourceAddress(source.address);
  if (isUploadError(error, "too_large")) {
    const failure = error.details.declared === undefined ? "too_large" : "size_differs";
    return new SourceError(failure, `${where} has more bytes than it should: ${error.message}`, { cause: error });
  }
  if (isUploadError(error, "incomplete")) {
    return new SourceError("size_differs", `${where} has fewer bytes than it should: ${error.message}`, {
      cause: error,
    });
  }
  return undefined;
}
