import type { IdentityStore } from "../core/index.js";

/** Which tokens were used, and when: told to the store now and then, for all of them at once. */
export interface TokenUses {
  /** Cheap enough for every chunk. `endsAt` is when the token ends unless the store is told, on the monotonic clock. */
  note(tokenId: string, endsAt: number): void;
  /** Tells the store what it has not been told. What cannot be told now is kept for the next time. */
  flush(): Promise<void>;
  /** Flushes for the last time. */
  stop(): Promise<void>;
}

const mostWaitMs = 60_000;
const leastWaitMs = 20;

/**
 * At most once a minute, unless a token would end before that. `onError` is told why a flush by the clock did not
 * succeed.
 */
export function createTokenUses(deps: {
  readonly store: Pick<IdentityStore, "touchTokens">;
  readonly elapsed: () => number;
  readonly onError: (error: unknown) => void;
}): TokenUses {
  const { store, elapsed, onError } = deps;
  let usedAt = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Number.POSITIVE_INFINITY;

  function schedule(waitMs: number): void {
    const at = elapsed() + waitMs;
    if (at >= timerAt) return;
    clearTimeout(timer);
    timerAt = at;
    timer = setTimeout(() => {
      flush().catch((error: unknown) => {
        onError(error);
        schedule(mostWaitMs);
      });
    }, waitMs);
    timer.unref();
  }
  async function flush(): Promise<void> {
    clearTimeout(timer);
    timerAt = Number.POSITIVE_INFINITY;
    if (usedAt.size === 0) return;
    const told = usedAt;
    usedAt = new Map();
    const now = elapsed();
    // In one order everywhere, so that two processes do not wait for each other.
    const uses = [...told].map(([tokenId, at]) => ({ tokenId, agoMs: now - at }));
    try {
      await store.touchTokens(uses.sort((a, b) => (a.tokenId < b.tokenId ? -1 : 1)));
    } catch (error) {
      usedAt = new Map([...told, ...usedAt]);
      throw error;
    }
  }
  return {
    note(tokenId, endsAt) {
      const now = elapsed();
      const isNew = !usedAt.has(tokenId);
      usedAt.set(tokenId, now);
      if (isNew) schedule(Math.min(Math.max((endsAt - now) / 2, leastWaitMs), mostWaitMs));
    },
    flush,
    async stop() {
      await flush();
      clearTimeout(timer);
    },
  };
}
