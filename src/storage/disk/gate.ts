import { storageError, unavailable } from "./errors.js";

/**
 * What every call of the store passes through: errors are translated here, and closing refuses newcomers and waits for
 * the rest.
 */
export interface Gate {
  /** Runs one deed that closing waits for. */
  pass<T>(deed: () => Promise<T>): Promise<T>;
  /**
   * A stream each step of which is a deed. Its `finally` blocks run when the consumer stops and when the store closes.
   */
  stream<T>(steps: AsyncGenerator<T, void, undefined>): AsyncIterable<T>;
  /** Has `release` called at closing; answers how to take that back. */
  hold(release: () => Promise<void>): () => void;
  close(): Promise<void>;
}

export function createGate(): Gate {
  const underWay = new Set<Promise<unknown>>();
  const held = new Set<() => Promise<void>>();
  let closing: Promise<void> | undefined;

  async function pass<T>(deed: () => Promise<T>): Promise<T> {
    if (closing !== undefined) throw unavailable("the blob store is closed");
    const running = deed();
    underWay.add(running);
    try {
      return await running;
    } catch (error) {
      throw storageError(error);
    } finally {
      underWay.delete(running);
    }
  }

  function hold(release: () => Promise<void>): () => void {
    held.add(release);
    return () => {
      held.delete(release);
    };
  }

  async function* stream<T>(steps: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
    const stop = async () => {
      await steps.return();
    };
    const unhold = hold(stop);
    try {
      for (;;) {
        const step = await pass(() => steps.next());
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      unhold();
      await stop();
    }
  }

  async function releaseAll(): Promise<void> {
    await Promise.allSettled(underWay);
    await Promise.allSettled([...held].map((release) => release()));
  }

  return {
    pass,
    stream,
    hold,
    close() {
      closing ??= releaseAll();
      return closing;
    },
  };
}
