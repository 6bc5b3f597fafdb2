import { createHash } from "node:crypto";
import { ChecksumAlgorithm, type ChecksumInfo } from "../../../gen/slipway/upload/v1/checksum_pb.js";

/** The SHA-256 of content from its first byte on, taken in order; bytes that come again are not counted again. */
export interface ContentHash {
  /** How many bytes are in it. */
  readonly offset: number;
  /** Bytes at a position that is not past `offset`. */
  take(position: number, bytes: Uint8Array): void;
  /** The digest of what is in it so far, in hexadecimal. */
  digest(): string;
}

export function createContentHash(): ContentHash {
  const hash = createHash("sha256");
  let offset = 0;
  return {
    get offset() {
      return offset;
    },
    take(position, bytes) {
      if (position > offset) throw new TypeError(`bytes at ${position} leave a gap after ${offset}`);
      const fresh = bytes.subarray(Math.min(bytes.length, offset - position));
      hash.update(fresh);
      offset += fresh.length;
    },
    digest: () => hash.copy().digest("hex"),
  };
}

export function sha256Info(checksum: string): { algorithm: ChecksumAlgorithm; checksum: string } {
  return { algorithm: ChecksumAlgorithm.SHA256, checksum };
}

/** The SHA-256 among checksums as the server computed them. */
export function findSha256(checksums: readonly ChecksumInfo[] | undefined): string | undefined {
  return checksums?.find(({ algorithm }) => algorithm === ChecksumAlgorithm.SHA256)?.checksum;
}
