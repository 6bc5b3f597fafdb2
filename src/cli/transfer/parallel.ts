import { parseWhole } from "../connection/settings.js";

/** How many files may be under way at once. */
export function parseParallel(text: string): number {
  return parseWhole(text, "--parallel", 1, 64);
}

/**
 * Runs the work of every item, at most `workers` at a time and begun in order. The first failure stops the rest through
 * the signal and comes out once all have ended.
 */
export async function runParallel<T>(
  items: readonly T[],
  workers: number,
  signal: AbortSignal,
  run: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const queue = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const work = async () => {
    for (const item of queue) {
      if (both.aborted) return;
      try {
        await run(item, both);
      } catch (error) {
        failure ??= { error };
        stop.abort(error);
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, items.length) }, work));
  signal.throwIfAborted();
  if (failure !== undefined) throw failure.error;
}
