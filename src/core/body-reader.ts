/**
 * Reads a stream chunk by chunk, and stops waiting at once when a signal aborts, even when the stream never says
 * another word (a dead connection). Empty chunks are passed over.
 */
export interface BodyReader {
  /**
   * The next chunk, or undefined at the regular end. Throws what the stream throws, or the reason of the signal that
   * aborted.
   */
  next(): Promise<Uint8Array | undefined>;
  /** Puts bytes back, to be read next. */
  unread(chunk: Uint8Array): void;
  /** Lets go of the stream and the signals; the stream's own clean-up is not waited for. */
  close(): void;
}

/** `onBytes` is told of every chunk once, as it comes out of the stream. */
export function createBodyReader(
  body: AsyncIterable<Uint8Array>,
  signals: readonly (AbortSignal | undefined)[],
  onBytes: (count: number) => void = () => undefined,
): BodyReader {
  const iterator = body[Symbol.asyncIterator]();
  const watched = signals.filter((signal) => signal !== undefined);
  let backlog: Uint8Array | undefined;
  let ended = false;
  let interrupt: ((reason: unknown) => void) | undefined;
  const onAbort = (event: Event) => interrupt?.((event.target as AbortSignal).reason);
  for (const signal of watched) signal.addEventListener("abort", onAbort);

  // One promise a step, made by hand: racing against a long-lived promise would keep a reaction for every chunk of the
  // upload.
  const step = () =>
    new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      interrupt = reject;
      iterator.next().then(resolve, reject);
    }).finally(() => {
      interrupt = undefined;
    });

  return {
    async next() {
      if (backlog !== undefined) {
        const chunk = backlog;
        backlog = undefined;
        return chunk;
      }
      for (;;) {
        for (const signal of watched) signal.throwIfAborted();
        if (ended) return undefined;
        const result = await step();
        if (result.done === true) ended = true;
        else if (result.value.length > 0) {
          onBytes(result.value.length);
          return result.value;
        }
      }
    },
    unread(chunk) {
      if (chunk.length > 0) backlog = chunk;
    },
    close() {
      for (const signal of watched) signal.removeEventListener("abort", onAbort);
      if (!ended) iterator.return?.().catch(() => undefined);
      ended = true;
    },
  };
}
