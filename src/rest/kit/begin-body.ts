/**
 * A body, or what it is made of, once the first of it is at hand: what keeps them from coming is thrown here, where an answer can still say it.
 * Whoever does not read it on lets it go, by its iterator's `return` or by aborting.
 */
export async function beginBody<T>(body: AsyncIterable<T>, signal: AbortSignal): Promise<AsyncIterable<T>> {
  const steps = body[Symbol.asyncIterator]();
  let begun: IteratorResult<T> | undefined = await steps.next();
  const letGo = () => void steps.return?.().catch(() => undefined);
  const forget = () => signal.removeEventListener("abort", letGo);
  signal.addEventListener("abort", letGo, { once: true });
  if (signal.aborted) letGo();
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        try {
          const step = begun ?? (await steps.next());
          begun = undefined;
          if (step.done === true) forget();
          return step;
        } catch (error) {
          forget();
          throw error;
        }
      },
      async return() {
        forget();
        await steps.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}
