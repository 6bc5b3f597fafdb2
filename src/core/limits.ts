import { UploadError } from "./error.js";

/** Every bound the core keeps, each with the setting that names it to the client when it is hit (P10). */
export interface Limits {
  /** Largest content of one file (bytes). */
  readonly maxFileBytes: number;
  /** Largest part that one unary request may carry, and largest part that has a digest of its own (bytes). */
  readonly maxPartBytes: number;
  readonly maxSessionFiles: number;
  /** Largest blob (bytes). */
  readonly maxBlobBytes: number;
  /** Blobs that one stream may bring. */
  readonly maxStreamBlobs: number;
  /** Refs that one call may name. */
  readonly maxBlobRefs: number;
  /** Largest `attributes` of one thing, as JSON text (bytes). */
  readonly maxAttributesBytes: number;
  /** How many clients may follow sessions at the same time. */
  readonly maxWatches: number;
  /** What all running uploads together may hold in memory (bytes). */
  readonly maxBufferedBytes: number;
  /** How many files may be fetched from their sources at the same time. */
  readonly maxPulls: number;
  /** Tries in a row to fetch a file that bring nothing new, until it fails. */
  readonly maxPullTries: number;
  /** A long stream is made durable and committed at least this often; `kill -9` costs at most this (P3). */
  readonly checkpointBytes: number;
  readonly checkpointMs: number;
}

export const defaultLimits: Limits = {
  maxFileBytes: 16 * 2 ** 40,
  maxPartBytes: 64 * 2 ** 20,
  maxSessionFiles: 100_000,
  maxBlobBytes: 16 * 2 ** 20,
  maxStreamBlobs: 10_000,
  maxBlobRefs: 1_000,
  maxAttributesBytes: 64 * 1024,
  maxWatches: 1000,
  maxBufferedBytes: 128 * 2 ** 20,
  maxPulls: 8,
  maxPullTries: 12,
  checkpointBytes: 32 * 2 ** 20,
  checkpointMs: 2_000,
};

const settingOf: Record<keyof Limits, string> = {
  maxFileBytes: "SLIPWAY_MAX_FILE_BYTES",
  maxPartBytes: "SLIPWAY_MAX_PART_BYTES",
  maxSessionFiles: "SLIPWAY_MAX_SESSION_FILES",
  maxBlobBytes: "SLIPWAY_MAX_BLOB_BYTES",
  maxStreamBlobs: "SLIPWAY_MAX_STREAM_BLOBS",
  maxBlobRefs: "SLIPWAY_MAX_BLOB_REFS",
  maxAttributesBytes: "SLIPWAY_MAX_ATTRIBUTES_BYTES",
  maxWatches: "SLIPWAY_MAX_WATCHES",
  maxBufferedBytes: "SLIPWAY_MAX_BUFFERED_BYTES",
  maxPulls: "SLIPWAY_MAX_PULLS",
  maxPullTries: "SLIPWAY_MAX_PULL_TRIES",
  checkpointBytes: "SLIPWAY_CHECKPOINT_BYTES",
  checkpointMs: "SLIPWAY_CHECKPOINT_INTERVAL",
};

/** The detail that names a limit to the client. */
export function limitDetail(limits: Limits, name: keyof Limits): { setting: string; value: number } {
  return { setting: settingOf[name], value: limits[name] };
}

/** Throws `too_many` (TOO_MANY_FILES) with the limit's name when a session would have so many files. */
export function assertFileCount(limits: Limits, count: number): void {
  if (count > limits.maxSessionFiles) {
    throw new UploadError("too_many", `a session has at most ${limits.maxSessionFiles} files`, {
      reason: "TOO_MANY_FILES",
      limit: limitDetail(limits, "maxSessionFiles"),
    });
  }
}

/** Throws `too_large` with the limit's name when content would end past `maxFileBytes`. */
export function assertFileSize(limits: Limits, endOffset: number): void {
  if (endOffset > limits.maxFileBytes) {
    throw new UploadError("too_large", `content of ${endOffset} bytes is over the limit of ${limits.maxFileBytes}`, {
      reason: "SIZE_EXCEEDED",
      limit: limitDetail(limits, "maxFileBytes"),
    });
  }
}

/** Throws `too_large` with the limit's name when a blob has, or will have, more bytes than one may. */
export function assertBlobSize(limits: Limits, sizeBytes: number): void {
  if (sizeBytes > limits.maxBlobBytes) {
    throw new UploadError("too_large", `a blob of ${sizeBytes} bytes is over the limit of ${limits.maxBlobBytes}`, {
      reason: "SIZE_EXCEEDED",
      limit: limitDetail(limits, "maxBlobBytes"),
    });
  }
}

/** Throws `too_many` with the limit's name when a call is about more blobs than it may be. */
export function assertBlobCount(limits: Limits, name: "maxStreamBlobs" | "maxBlobRefs", count: number): void {
  if (count > limits[name]) {
    throw new UploadError("too_many", `at most ${limits[name]} blobs are taken at once`, {
      reason: "TOO_MANY_BLOBS",
      limit: limitDetail(limits, name),
    });
  }
}
