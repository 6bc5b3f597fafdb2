import type { Content } from "../attempt.js";
import type { Blob, BlobKey, BlobRef } from "../blob.js";
import type { FileRef, FileView } from "./transfer-store.js";

/**
 * The part of the metadata port that knows the tenants' blobs. A tenant has a ref once, and what one tenant has says
 * nothing of another.
 */
export interface BlobIndex {
  /** For each name, in order: the blob, or undefined. Names may be of many tenants, and may be repeated. */
  findBlobs(names: readonly BlobName[]): Promise<readonly (Blob | undefined)[]>;

  /**
   * Stores many blobs, of many tenants, in one statement. A name that is there already stays as it is. Answers for each,
   * in order, the blob as it is stored; `applied` says that this call brought it, which of equal names in one call only
   * the first can.
   */
  insertBlobs(blobs: readonly NewBlob[]): Promise<readonly StoredBlob[]>;

  /** With where its bytes lie. Throws `not_found` (BLOB_NOT_FOUND). */
  getBlob(name: BlobName): Promise<{ readonly blob: Blob; readonly place: BlobPlace }>;

  /** In the byte order of the refs as texts, those strictly after `after`, which may be any text without NUL. */
  listBlobs(
    tenantId: string,
    options: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly Blob[]>;

  /** Those that are not there are passed over; answers how many were. Content that they named is let go. */
  removeBlobs(tenantId: string, refs: readonly BlobRef[]): Promise<number>;

  /**
   * Makes content that `decide` picks of a file a blob, unless the ref is there already. No deed that moves or deletes
   * the session runs meanwhile, so what `decide` saw holds; afterwards the blob keeps the content, whatever becomes of
   * the session. Throws `not_found`.
   */
  publishFile(ref: FileRef, decide: (view: FileView, now: Date) => Publication): Promise<StoredBlob>;
}

export interface BlobName {
  readonly tenantId: string;
  readonly ref: BlobRef;
}

export interface NewBlob extends BlobName {
  readonly sizeBytes: number;
  /** Undefined for the blob of no bytes, and only for that. */
  readonly blobKey: BlobKey | undefined;
}

export interface StoredBlob {
  readonly blob: Blob;
  /** False when it had been stored before. */
  readonly applied: boolean;
}

/** A key of the blob's own, or content that it shares with files; `nowhere` is where no bytes lie. */
export type BlobPlace =
  | { readonly kind: "key"; readonly blobKey: BlobKey }
  | { readonly kind: "content"; readonly contentId: string }
  | { readonly kind: "nowhere" };

export interface Publication {
  readonly ref: BlobRef;
  readonly content: Content;
}
