// Refs as people write them, `sha256-DIGEST`, and blobs as they are printed.
import type { Blob, BlobRef } from "../../../gen/slipway/upload/v1/blob_pb.js";
import { ChecksumAlgorithm } from "../../../gen/slipway/upload/v1/checksum_pb.js";
import { wrongUse } from "../shell/cli-error.js";
import { formatTime } from "../shell/format.js";

const numbers = {
  sha1: ChecksumAlgorithm.SHA1,
  sha224: ChecksumAlgorithm.SHA224,
  sha256: ChecksumAlgorithm.SHA256,
} as const;
const digits = { sha1: 40, sha224: 56, sha256: 64 } as const;

export type BlobAlgorithm = keyof typeof numbers;

export const blobAlgorithms = Object.keys(numbers) as readonly BlobAlgorithm[];

export const longestRef = "sha256-".length + digits.sha256;

/** What names a blob, in the words of this program. */
export interface Ref {
  readonly algorithm: BlobAlgorithm;
  readonly digest: string;
}

export function parseRef(text: string): Ref {
  const [, algorithm, digest] = /^(sha1|sha224|sha256)-([0-9a-f]+)$/i.exec(text) ?? [];
  const name = algorithm?.toLowerCase() as BlobAlgorithm | undefined;
  if (name !== undefined && digest?.length === digits[name]) return { algorithm: name, digest: digest.toLowerCase() };
  throw wrongUse(`a ref is sha256- (or sha1-, sha224-) and its digest in hexadecimal, not ${JSON.stringify(text)}`);
}

export function formatRef({ algorithm, digest }: Ref): string {
  return `${algorithm}-${digest}`;
}

export function refToMessage({ algorithm, digest }: Ref): Pick<BlobRef, "algorithm" | "digest"> {
  return { algorithm: numbers[algorithm], digest };
}

export function formatMessageRef(ref: BlobRef | undefined): string {
  return ref === undefined ? "" : `${ChecksumAlgorithm[ref.algorithm].toLowerCase()}-${ref.digest}`;
}

export function blobJson(blob: Blob) {
  return {
    ref: formatMessageRef(blob.ref),
    sizeBytes: Number(blob.sizeBytes),
    createdAt: formatTime(blob.createTime),
  };
}
