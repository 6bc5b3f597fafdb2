import type { Hasher } from "./checksum.js";

/**
 * Hashes content that is being appended to. Mostly it takes every chunk as it arrives. When it begins behind (after a
 * restart, or a hand-over) it first reads what is stored, beside the append, and what was appended meanwhile, until it
 * has caught up.
 */
export interface HashFollower {
  /** How far it has hashed (bytes). */
  readonly offset: number;
  /**
   * A chunk that begins at `at` has arrived; it is passed over, to be read back later, while the follower is behind.
   */
  take(chunk: Uint8Array, at: number): void;
  /** Stored bytes up to `end` can be read back. */
  wrote(end: number): void;
  /** Resolves when everything up to `end`, which can be read back, is hashed. */
  settle(end: number): Promise<void>;
  /** A copy of the state if it stands exactly at `at`. */
  snapshot(at: number): Hasher | undefined;
  readonly hasher: Hasher;
  /** Reads back no more; whoever waits is told the reason. */
  stop(reason?: unknown): void;
}

/** `stored` is where the append begins. What is stored before it is read back from the first `wrote` on. */
export function createHashFollower(
  hasher: Hasher,
  stored: number,
  readBack: (from: number, to: number, signal: AbortSignal) => AsyncIterable<Uint8Array>,
): HashFollower {
  const stopping = new AbortController();
  let readable = hasher.offset;
  let chase: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;

  async function run(): Promise<void> {
    try {
      while (hasher.offset < readable) {
        for await (const chunk of readBack(hasher.offset, readable, stopping.signal)) hasher.update(chunk);
      }
    } catch (error) {
      failure = { error };
    } finally {
      chase = undefined;
    }
  }
  // While nothing is being read back, whatever arrives next is hashed from memory; `live` says where that is.
  let live = hasher.offset === stored;
  function startChase(): void {
    if (!live && chase === undefined && failure === undefined && hasher.offset < readable) chase = run();
  }

  return {
    hasher,
    get offset() {
      return hasher.offset;
    },
    take(chunk, at) {
      live = chase === undefined && hasher.offset === at;
      if (live) hasher.update(chunk);
    },
    wrote(end) {
      readable = Math.max(readable, end);
      startChase();
    },
    async settle(end) {
      while (hasher.offset < end && failure === undefined) {
        if (end > readable) throw new TypeError(`bytes up to ${end} are asked for, only ${readable} can be read back`);
        live = false;
        startChase();
        await chase;
      }
      if (failure !== undefined) throw failure.error;
    },
    snapshot: (at) => (chase === undefined && hasher.offset === at ? hasher.copy() : undefined),
    stop: (reason) => stopping.abort(reason),
  };
}
