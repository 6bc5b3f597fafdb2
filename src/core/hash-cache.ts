import type { ChecksumAlgorithm, Hasher } from "./checksum.js";

/**
 * Hash states of attempts that may be continued, so that the next part need not read the former ones again. Only a
 * cache: a miss costs a re-read.
 */
export interface HashCache {
  put(attemptId: string, hasher: Hasher): void;
  /** A copy of the state, if it is not past `offset` and knows all the algorithms. */
  take(attemptId: string, offset: number, algorithms: readonly ChecksumAlgorithm[]): Hasher | undefined;
  drop(attemptId: string): void;
}

const maxStates = 4096;

export function createHashCache(): HashCache {
  const states = new Map<string, Hasher>();
  return {
    put(attemptId, hasher) {
      states.delete(attemptId);
      states.set(attemptId, hasher);
      if (states.size > maxStates) for (const oldest of states.keys()) return void states.delete(oldest);
    },
    take(attemptId, offset, algorithms) {
      const hasher = states.get(attemptId);
      if (hasher === undefined || hasher.offset > offset) return undefined;
      return algorithms.every((name) => hasher.algorithms.includes(name)) ? hasher.copy() : undefined;
    },
    drop: (attemptId) => void states.delete(attemptId),
  };
}
