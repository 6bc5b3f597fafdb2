import { createHash, randomUUID } from "node:crypto";
import { parseChecksum } from "./checksum.js";
import { UploadError } from "./error.js";

/**
 * Where immutable bytes lie: random, opaque to everyone but the blob store that made it, and final from its creation.
 * At most 128 printable ASCII characters.
 */
export type BlobKey = string & { readonly __brand: "BlobKey" };

/** The largest content that a store puts beside others in a pack rather than on its own (bytes). */
export const smallContentBytes = 128 * 1024;

/** A fresh id for anything that needs one: a version 4 UUID (RFC 9562). */
export function createId(): string {
  return randomUUID();
}

/**
 * The id that these words always have, and others do not: a version 8 UUID (RFC 9562). It makes the creation of what has
 * to be found again one comparison.
 */
export function deriveId(...words: readonly string[]): string {
  const bytes = createHash("sha256").update(JSON.stringify(words)).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The algorithms whose digests name blobs. */
export const blobAlgorithms = ["sha1", "sha224", "sha256"] as const;

export type BlobAlgorithm = (typeof blobAlgorithms)[number];

/**
 * Names immutable bytes by their digest, in lower-case hex. Refs of different algorithms are different blobs, even over
 * the same bytes.
 */
export interface BlobRef {
  readonly algorithm: BlobAlgorithm;
  readonly digest: string;
}

/** Untrusted words of a ref. */
export interface BlobRefInput {
  readonly algorithm: string;
  readonly digest: string;
}

/** A blob that is stored: whole, and one for each tenant that has it. */
export interface Blob {
  readonly ref: BlobRef;
  readonly sizeBytes: number;
  readonly createdAt: Date;
}

/** Takes digits of either case. Throws `unsupported` (ALGORITHM_UNKNOWN), `invalid` (CHECKSUM_MALFORMED). */
export function parseBlobRef(input: BlobRefInput): BlobRef {
  const algorithm = blobAlgorithms.find((name) => name === input.algorithm.toLowerCase());
  if (algorithm === undefined) {
    const shown = JSON.stringify(input.algorithm.slice(0, 40));
    throw new UploadError("unsupported", `blobs are named by ${blobAlgorithms.join(", ")}, not by ${shown}`, {
      reason: "ALGORITHM_UNKNOWN",
    });
  }
  return { algorithm, digest: parseChecksum(algorithm, input.digest).value };
}

/** The ref as one text, such as `sha224-d14a028c...`; blobs are listed in the byte order of these. */
export function formatBlobRef(ref: BlobRef): string {
  return `${ref.algorithm}-${ref.digest}`;
}

/** The inverse of `formatBlobRef`; throws as `parseBlobRef` does. */
export function parseBlobRefText(text: string): BlobRef {
  const hyphen = text.indexOf("-");
  return parseBlobRef({ algorithm: text.slice(0, Math.max(hyphen, 0)), digest: text.slice(hyphen + 1) });
}

export function blobNotFound(ref: BlobRef): UploadError {
  return new UploadError("not_found", `no blob ${formatBlobRef(ref)}`, { reason: "BLOB_NOT_FOUND" });
}
