import type { SourceFailure } from "./source-error.js";

/** Why a file or a session may fail, for good or until it is sent again. */
export const failureReasons = [
  "expired",
  "client",
  "interrupted",
  "file_failed",
  "checksum_differs",
  "size_differs",
  "content_damaged",
  "source_failed",
] as const;

export type FailureReason = (typeof failureReasons)[number];

/** Why a file or a session failed: a stable reason and a sentence for people. */
export interface Failure {
  readonly reason: FailureReason;
  readonly message: string;
  /** What exactly was wrong with the source, when that is the reason. */
  readonly source?: SourceFailure;
}
