import type { BlobKey } from "./blob.js";
import type { Checksum } from "./checksum.js";

/** One try at a file's content. Its offset is the only truth about how much of it is stored (P2). */
export interface Attempt {
  readonly id: string;
  /** 1 for the first try at a file, and so on. */
  readonly number: number;
  /** Grows by one with every writer; whoever holds an older one can commit nothing (P7). */
  readonly epoch: number;
  /** Bytes stored and committed, from the content's beginning. */
  readonly offset: number;
}

/**
 * An immutable run of an attempt's bytes. The extents of an attempt, by offset, are its content, without gap or
 * overlap.
 */
export interface Extent {
  readonly epoch: number;
  readonly offset: number;
  readonly length: number;
  readonly blobKey: BlobKey;
}

/** Content that is whole: an attempt that was accepted. It outlives its session when an item names it. */
export interface Content {
  /** The id of the attempt that it was. */
  readonly id: string;
  readonly sizeBytes: number;
  /** All that were computed; sha256 always among them. */
  readonly checksums: readonly Checksum[];
}

/** In lower-case hex. */
export function sha256Of({ id, checksums }: Content): string {
  const sha256 = checksums.find(({ algorithm }) => algorithm === "sha256");
  if (sha256 === undefined) throw new TypeError(`content ${id} has no SHA-256`);
  return sha256.value;
}
