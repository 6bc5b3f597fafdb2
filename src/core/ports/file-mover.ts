import type { SourceAddress } from "../source-address.js";

/**
 * Port beside `ContentSource`: takes over files that lie in a library's own backing folder, so that they are moved and
 * not copied. Every failure of the source is a `SourceError`.
 */
export interface FileMover {
  /** Whether the file lies below `folder`, which may be reached by symbolic links. False where it is not there. */
  liesBelow(address: SourceAddress, folder: string): Promise<boolean>;
  /**
   * Gives the file a second name, `target`, which must be free; undefined where it has to be copied (another file
   * system, or the system does not let us). What it answers is of the file that has both names. Not durable before the
   * folder of `target` is synced. Whoever may write to the file still may: only what is hashed afterwards is known.
   */
  linkTo(address: SourceAddress, target: string): Promise<LinkedFile | undefined>;
  /**
   * Removes the original where it still is the very file that `validator` tells of, unchanged; false where it is not,
   * and it is left alone. A repeat does no harm. Throws the system's error where we may not remove it, and a
   * `SourceError` that is not final where it cannot be looked at now.
   */
  removeIfSame(address: SourceAddress, validator: string): Promise<boolean>;
}

export interface LinkedFile {
  /** Tells the file apart from every other, and from itself once it is written to. */
  readonly validator: string;
  readonly sizeBytes: number;
}
