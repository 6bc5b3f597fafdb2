import type { Extent } from "../attempt.js";
import type { BlobKey, BlobRef } from "../blob.js";
import type { ContentOwner } from "../check.js";
import type { Checksum } from "../checksum.js";
import type { BlobName, BlobPlace } from "./blob-index.js";

/**
 * The part of the metadata port that a check of the store asks: all content of all tenants, page by page, and the few
 * deeds that put right what is damaged. Each page and each view is of one moment.
 */
export interface CheckStore {
  /** Content that something names, whole or on its way, of all tenants, by id: those strictly after `after`. */
  listNamedContents(options: {
    readonly after: string | undefined;
    readonly limit: number;
  }): Promise<readonly NamedContent[]>;

  /** As it is now; undefined when nothing names it any more. */
  findNamedContent(contentId: string): Promise<NamedContent | undefined>;

  /** The blobs of all tenants, by tenant id and ref: those strictly after `after`. */
  listPlacedBlobs(options: {
    readonly after: { readonly tenantId: string; readonly ref: string } | undefined;
    readonly limit: number;
  }): Promise<readonly PlacedBlob[]>;

  /** As it is now. */
  findPlacedBlob(name: BlobName): Promise<PlacedBlob | undefined>;

  /** Where else in the tenant the same bytes should lie, by their SHA-256 and size. Nothing says that they are sound. */
  listCopies(options: {
    readonly tenantId: string;
    readonly sha256: string;
    readonly sizeBytes: number;
    readonly limit: number;
  }): Promise<readonly BlobPlace[]>;

  /**
   * Puts whole content's bytes elsewhere: it has this key alone from then on, for whoever names it. Answers false, and
   * changes nothing, unless it is whole, of this size, and still has all the keys `from`.
   */
  replaceContent(change: {
    readonly contentId: string;
    readonly sizeBytes: number;
    readonly from: readonly BlobKey[];
    readonly to: BlobKey;
  }): Promise<boolean>;

  /** The same for a blob that has a key of its own. */
  replaceBlobKey(name: BlobName, from: BlobKey, to: BlobKey): Promise<boolean>;

  /** Removes a blob if it still has this key of its own; answers whether it had. */
  dropBlob(name: BlobName, blobKey: BlobKey): Promise<boolean>;
}

/** Content that something names: an attempt, with where its bytes lie. */
export interface NamedContent {
  readonly id: string;
  readonly tenantId: string;
  readonly tenantName: string;
  /** How many of its bytes are committed: all of them when it is whole. */
  readonly sizeBytes: number;
  /** Something names it as whole. */
  readonly whole: boolean;
  /** Undefined until it is whole. */
  readonly checksums: readonly Checksum[] | undefined;
  /** By offset, each cut to what counts of it. */
  readonly extents: readonly Extent[];
  /** A size that a ready file has, and that is not this one's. */
  readonly otherSizeBytes: number | undefined;
  /** At most `mostOwners`. */
  readonly owners: readonly ContentOwner[];
}

/** A blob, with where its bytes lie. */
export interface PlacedBlob {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly ref: BlobRef;
  readonly sizeBytes: number;
  readonly place: BlobPlace;
  /** What is known of the content that it shares, if it does. */
  readonly content: { readonly sizeBytes: number; readonly checksums: readonly Checksum[] | undefined } | undefined;
}
