/**
 * The same things, but waiting for the next one ends with the signal's reason as soon as it aborts, even when the
 * source never says another word. The source's own clean-up is not waited for.
 */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const result = await nextOf(iterator, signal);
      if (result.done === true) break;
      yield result.value;
    }
    // A deadline may end a source as if it were finished.
    signal?.throwIfAborted();
  } finally {
    iterator.return?.().catch(() => undefined);
  }
}

function nextOf<T>(iterator: AsyncIterator<T>, signal: AbortSignal | undefined): Promise<IteratorResult<T>> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort);
    iterator
      .next()
      .finally(() => signal?.removeEventListener("abort", onAbort))
      .then(resolve, reject);
  });
}
