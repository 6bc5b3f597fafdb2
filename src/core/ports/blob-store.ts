import type { BlobKey } from "../blob.js";

/**
 * Port: immutable bytes under opaque keys. It knows nothing of files, sessions or tenants; what refers to a key is the
 * metadata store's business. A range, size or batch that makes no sense is a `TypeError`; a key that no store made is
 * damage. After `close` every method throws `unavailable`. Every method may throw `UploadError` `unavailable` (reason
 * STORAGE_UNAVAILABLE) when the medium fails (full, read-only, input/output error), with the driver's error as its
 * cause.
 */
export interface BlobStore {
  /** The random id of this store (a UUID), made with it and never changed. */
  readonly storeId: string;

  /** Starts an extent of its own: an append-only run of bytes. Nothing is durable before its first `sync`. */
  createExtent(): Promise<ExtentWriter>;

  /**
   * Makes a file from outside an extent: `link` gives it the name that it is told, or answers undefined where it cannot;
   * then nothing was done. The extent is durable, under its name too, when the promise resolves; for the age of its
   * bytes it counts as written now. Whoever may write to the file still may: its bytes are those that were read only as
   * long as the mark is the same. What `link` throws comes out.
   */
  adoptExtent<T>(link: (path: string) => Promise<T | undefined>): Promise<AdoptedExtent<T> | undefined>;

  /**
   * Which file lies under the key of an extent and in which state: another text once it is written to, cut or replaced.
   * Throws `damaged` (CONTENT_DAMAGED) when it is not there.
   */
  readMark(key: BlobKey): Promise<string>;

  /**
   * Stores `chunks` (together at most `smallContentBytes`, at least one byte, or a `TypeError`) as one immutable run.
   * Durable when the promise resolves. Calls that run at the same time share one fdatasync. The chunks may be reused
   * once the promise has settled.
   */
  putSmall(chunks: readonly Uint8Array[]): Promise<BlobKey>;

  /**
   * The bytes [offset, offset + length) of a key, in order, in chunks of at most 1 MiB that belong to the reader. Also
   * reads what an extent's writer has written but not yet synced, and what is in the trash: whoever began to read content
   * before it was let go of reads on. Throws `UploadError` `damaged` (CONTENT_DAMAGED), naming the key, when the
   * key or some of those bytes are not there: a row said they were, so this is damage and not an answer. Bytes of a pack
   * whose record checksum is wrong are damage too. Where all of the store is away, that is no damage. Stops between
   * chunks with the signal's reason when it aborts.
   */
  read(key: BlobKey, offset: number, length: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;

  /**
   * Every key whose bytes were last written before `writtenBefore`, a batch at a time (at most `batchSize` keys). Keys
   * in the trash are not listed. A key that is written or trashed meanwhile may or may not appear; one that was only
   * noted (see `moveToTrash`) appears again.
   */
  listKeys(options: { readonly writtenBefore: Date; readonly batchSize: number }): AsyncIterable<readonly BlobKey[]>;

  /**
   * Moves bytes that nobody names into the trash, where they can be restored from; a key that is not there is passed
   * over. A key inside a pack is only noted: the pack itself goes to the trash once all its keys are noted and no new
   * ones can come. Notes may be forgotten, for the next listing brings them back. Durable when it resolves.
   */
  moveToTrash(keys: readonly BlobKey[]): Promise<void>;

  /** Every key in the trash that went there before `trashedBefore`, in batches. */
  listTrash(options: { readonly trashedBefore: Date; readonly batchSize: number }): AsyncIterable<readonly BlobKey[]>;

  /**
   * Takes keys back out of the trash; afterwards they read as before, and so may their neighbours in a pack. A key that
   * is not there is passed over.
   */
  restoreFromTrash(keys: readonly BlobKey[]): Promise<void>;

  /**
   * Deletes keys that are in the trash for good. The caller has made sure that no row names them. A pack goes once all
   * its keys were asked for. Need not be durable.
   */
  deleteFromTrash(keys: readonly BlobKey[]): Promise<void>;

  /**
   * Where the bytes of a key lie, and how many of them there are at most, without reading them; undefined when there
   * are none. Throws `unavailable` where all of the store is away.
   */
  findBytes(key: BlobKey): Promise<StoredBytes | undefined>;

  /**
   * Everything that lies in the store and not in the trash, in batches; it changes nothing, not even what `listKeys`
   * does. The pieces of one unit come one after the other. What is written or trashed meanwhile may or may not appear.
   */
  listStored(options: { readonly batchSize: number }): AsyncIterable<readonly StoredPiece[]>;

  /** What lies where only the store's own things should, and that no store makes. */
  listForeign(): AsyncIterable<ForeignFile>;

  /**
   * Resolves when the medium takes writes, throws `unavailable` when it does not. Cheap enough for a readiness probe.
   */
  checkHealth(): Promise<void>;

  /** Waits for what is under way, then lets go of every handle. */
  close(): Promise<void>;
}

/** An extent that lies outside of the store, too. */
export interface AdoptedExtent<T> {
  readonly key: BlobKey;
  /** What `readMark` says as long as nobody has written to it. */
  readonly mark: string;
  /** What `link` answered. */
  readonly linked: T;
}

/** What there is of a key. */
export interface StoredBytes {
  readonly place: "stored" | "trash";
  /** Of a key in a pack never more than its own length. */
  readonly sizeBytes: number;
}

/** A key, and the unit that it lies in: what goes to the trash as a whole. */
export interface StoredPiece {
  /** The store's own name for the unit. */
  readonly unit: string;
  /** Undefined where a unit has no key: nothing in it can be read. */
  readonly key: BlobKey | undefined;
  /** The size of the whole unit. */
  readonly unitBytes: number;
  /** When it was last written; now, where it may still grow. */
  readonly writtenAt: Date;
}

export interface ForeignFile {
  /** Relative to the store's folder. */
  readonly path: string;
  /** Undefined where it is no file. */
  readonly sizeBytes: number | undefined;
}

/**
 * One extent being written. Not for concurrent use: at most one `write` and one `sync` are under way at a time (one of
 * each is allowed).
 */
export interface ExtentWriter {
  readonly key: BlobKey;
  /**
   * Appends the chunks, in order. The chunks may be reused once the promise has settled. After a failed write only
   * `close` is allowed.
   */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /**
   * Makes every byte whose `write` had resolved before the call durable (fdatasync; at the first call the new name
   * too). When it fails the extent is abandoned: nothing after the last successful `sync` may be relied on, `sync` is
   * not tried again and throws.
   */
  sync(): Promise<void>;
  /** Lets go of the handle. Bytes never synced may be lost. Never throws. */
  close(): Promise<void>;
}
