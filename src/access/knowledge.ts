/** Answers to questions that are asked again and again, each trusted for a short while. */
export interface Knowledge<T> {
  /** What is known, or the answer to asking again. What is not there is asked for every time. */
  get(key: string): Promise<T | undefined>;
  /** What is known now, if it is to be trusted. */
  peek(key: string): T | undefined;
  /** What of this has changed is asked for again, from the next question on. */
  forget(isChanged: (value: T) => boolean): void;
}

interface Entry<T> {
  readonly value: T;
  readonly trustedUntil: number;
}

/**
 * `trustMs` says for how long an answer is good, counted from when it was asked for. Of more than `mostKeys` answers the
 * oldest goes.
 */
export function createKnowledge<T>(deps: {
  readonly ask: (key: string) => Promise<T | undefined>;
  readonly trustMs: (value: T) => number;
  readonly elapsed: () => number;
  readonly mostKeys?: number;
}): Knowledge<T> {
  const { ask, trustMs, elapsed, mostKeys = 10_000 } = deps;
  const entries = new Map<string, Entry<T>>();
  const underWay = new Map<string, Promise<T | undefined>>();
  /** Grows with every `forget`: an answer that was on its way then may be from before. */
  let generation = 0;

  async function askNow(key: string): Promise<T | undefined> {
    const askedAt = elapsed();
    const askedIn = generation;
    const value = await ask(key);
    if (askedIn !== generation) return value;
    entries.delete(key);
    if (value !== undefined) entries.set(key, { value, trustedUntil: askedAt + trustMs(value) });
    for (const oldest of entries.keys()) {
      if (entries.size <= mostKeys) break;
      entries.delete(oldest);
    }
    return value;
  }
  function peek(key: string): T | undefined {
    const entry = entries.get(key);
    return entry !== undefined && elapsed() < entry.trustedUntil ? entry.value : undefined;
  }
  return {
    peek,
    async get(key) {
      const known = peek(key) ?? underWay.get(key);
      if (known !== undefined) return known;
      const asking = askNow(key).finally(() => {
        if (underWay.get(key) === asking) underWay.delete(key);
      });
      underWay.set(key, asking);
      return asking;
    },
    forget(isChanged) {
      generation++;
      underWay.clear();
      for (const [key, { value }] of entries) if (isChanged(value)) entries.delete(key);
    },
  };
}
