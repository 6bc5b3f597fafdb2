import type { Failure } from "./failure.js";

/**
 * How the fetching of a file's content goes, beside what of it is stored. A file has one from its declaration with a
 * source until it is ready or has failed; so a session waits for exactly the files that have one.
 */
export interface Pull {
  /** When the next try may begin: now, unless the last one failed. */
  readonly dueAt: Date;
  /** Tries in a row that came hardly any further than those before them. */
  readonly tries: number;
  /** How far it was when a try last made progress (bytes). */
  readonly furthestBytes: number;
  /** What the last try ended with; undefined before one has failed. */
  readonly problem: Failure | undefined;
  /** What the source said of the content that the running attempt holds; undefined before it has been asked. */
  readonly found: PulledContent | undefined;
}

export interface PulledContent {
  /** The attempt that holds what was fetched of it: no other may be continued by it. */
  readonly attemptId: string;
  /** Undefined where nothing tells whether the source still has the same content: then it is fetched anew. */
  readonly validator: string | undefined;
  /** Undefined where the source does not say. */
  readonly sizeBytes: number | undefined;
  /** The store's mark of bytes that were taken over and not copied. */
  readonly mark?: string | undefined;
}

/** The fetching of a file that was declared at `now`. */
export function beginPull(now: Date): Pull {
  return { dueAt: now, tries: 0, furthestBytes: 0, problem: undefined, found: undefined };
}

/** Less is no progress: a source that gives a few bytes at a time and breaks off is given up in the end. */
const leastProgressBytes = 64 * 1024;
const firstWaitMs = 1_000;
const longestWaitMs = 5 * 60_000;

/**
 * After a try that ended with `problem`, having stored `storedBytes` in all: when to try again, or undefined when
 * `mostTries` in a row came no 64 KiB further. The source's own wish is heeded, up to five minutes. `spread`, from 0 to 1,
 * keeps those who failed together from coming back together.
 */
export function retryPull(
  pull: Pull,
  ended: {
    readonly problem: Failure;
    readonly storedBytes: number;
    readonly retryAfterMs: number | undefined;
    readonly mostTries: number;
    readonly spread: number;
    readonly now: Date;
  },
): Pull | undefined {
  const { problem, storedBytes, now } = ended;
  const hasProgressed = storedBytes - pull.furthestBytes >= leastProgressBytes;
  const tries = hasProgressed ? 0 : pull.tries + 1;
  if (tries >= ended.mostTries) return undefined;
  const backOffMs = firstWaitMs * 2 ** Math.max(0, tries - 1) * (0.5 + ended.spread / 2);
  const waitMs = Math.min(Math.max(backOffMs, ended.retryAfterMs ?? 0), longestWaitMs);
  return {
    ...pull,
    dueAt: new Date(now.getTime() + waitMs),
    tries,
    furthestBytes: hasProgressed ? storedBytes : pull.furthestBytes,
    problem,
  };
}
