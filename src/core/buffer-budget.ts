/** What all running uploads together may hold in memory, shared evenly among those that run (P10). */
export interface BufferBudget {
  join(): BufferShare;
}

export interface BufferShare {
  /** How much this upload may hold now (bytes). It shrinks as others come. */
  limit(): number;
  leave(): void;
}

const leastBytes = 64 * 1024;
const mostBytes = 8 * 2 ** 20;

export function createBufferBudget(maxBytes: number): BufferBudget {
  let sharers = 0;
  return {
    join() {
      sharers++;
      let here = true;
      return {
        limit: () => Math.max(leastBytes, Math.min(mostBytes, Math.floor(maxBytes / sharers))),
        leave() {
          if (here) sharers--;
          here = false;
        },
      };
    },
  };
}
