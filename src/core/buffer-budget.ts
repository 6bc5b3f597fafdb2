/** What all running uploads together may hold in memory, shared evenly among those that run (P10). */
export interface BufferBudget {
  join(): BufferShare;
  /** How many uploads share it now, and what they hold (bytes). */
  readonly use: { readonly sharers: number; readonly heldBytes: number };
}

export interface BufferShare {
  /** How much this upload may hold now (bytes). It shrinks as others come. */
  limit(): number;
  /** Says that so many bytes more are held, or less. */
  hold(bytes: number): void;
  leave(): void;
}

const leastBytes = 64 * 1024;
const mostBytes = 8 * 2 ** 20;

export function createBufferBudget(maxBytes: number): BufferBudget {
  let sharers = 0;
  let heldBytes = 0;
  return {
    join() {
      sharers++;
      let here = true;
      let own = 0;
      return {
        limit: () => Math.max(leastBytes, Math.min(mostBytes, Math.floor(maxBytes / sharers))),
        hold(bytes) {
          if (!here) return;
          own += bytes;
          heldBytes += bytes;
        },
        leave() {
          if (!here) return;
          here = false;
          sharers--;
          heldBytes -= own;
        },
      };
    },
    get use() {
      return { sharers, heldBytes };
    },
  };
}
