import type { Source } from "../source.js";

/**
 * Port: where the content of a pulled file comes from. A source believes nobody: it decides anew at each `open` whether
 * the address may be reached. It does not retry, and knows nothing of what was declared of the content. Every failure
 * is a `SourceError`; when the signal aborts, its reason passes through.
 */
export interface ContentSource {
  /**
   * Begins to read. The promise resolves once the source has said what there is, before any of its bytes are taken;
   * whoever opened content reads it to its end or closes it.
   */
  open(request: SourceRequest, signal: AbortSignal): Promise<OpenedContent>;
}

export interface SourceRequest extends Source {
  /** Where an earlier reading got to; undefined to begin at the beginning. */
  readonly from?: SourcePosition | undefined;
}

/** How far content was read, and what tells the source that it still is the same content. */
export interface SourcePosition {
  readonly offset: number;
  /** What the earlier `OpenedContent` had: a source resumes only content that is provably the same. */
  readonly validator: string;
  /** What the earlier `OpenedContent` had: content of another size is other content, whatever its validator says. */
  readonly sizeBytes?: number | undefined;
}

export interface OpenedContent {
  /** Where `bytes` begin: the offset asked for, or 0 where the source cannot go on or holds other content by now. */
  readonly offset: number;
  /** Of the whole content, whatever `offset` is; undefined where the source does not say. */
  readonly sizeBytes: number | undefined;
  /** Changes when the content does. Undefined where nothing can be relied on to do so: resuming is not safe. */
  readonly validator: string | undefined;
  /**
   * False where the content ends with the connection and nothing tells a whole one from a cut one: only a declared size
   * or checksum can then say that it is whole (P11).
   */
  readonly hasEnd: boolean;
  /**
   * The bytes from `offset` on, once, in chunks of at most 1 MiB that belong to the reader; the source is held back
   * while nobody asks for the next one. It never gives more than `sizeBytes` announces, and throws (`ended_early`,
   * `changed`, `timed_out`, ...) where it does not come to that end. A reader that stops early closes the source.
   */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Lets go of the source, read or not. More than once does no harm. */
  close(): void;
}
