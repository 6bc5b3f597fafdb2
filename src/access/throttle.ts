import { UploadError } from "../core/index.js";

/** Slows down whoever guesses. Keys are what guesses are counted by. */
export interface Throttle {
  /** Before an attempt. Throws `too_many` (LOGIN_THROTTLED) while it must not be made. */
  enter(key: string): Attempt;
}

/** Exactly one of these says how it went. */
export interface Attempt {
  succeed(): void;
  fail(): void;
  /** It was not found out. */
  abandon(): void;
}

interface Record {
  failures: number;
  underWay: number;
  lastFailureAt: number;
}

const freeFailures = 5;
const firstWaitMs = 1_000;
const mostWaitMs = 30_000;
const forgetMs = 15 * 60_000;

/**
 * Five failures are free; then each further attempt has to wait, 1 s after the first, twice as long after each other, 30
 * s at most. 15 minutes without a failure, or a success, are a new beginning. Attempts under way count as failures, so
 * that asking all at once gains nothing. Of more than `mostKeys` keys the one that failed longest ago is forgotten.
 */
export function createThrottle(elapsed: () => number, mostKeys = 10_000): Throttle {
  // In the order of their last change.
  const records = new Map<string, Record>();

  function save(key: string, record: Record): void {
    records.delete(key);
    if (record.failures + record.underWay > 0) records.set(key, record);
    for (const oldest of records.keys()) {
      if (records.size <= mostKeys) break;
      records.delete(oldest);
    }
  }
  function find(key: string): Record {
    const known = records.get(key);
    if (known === undefined) return { failures: 0, underWay: 0, lastFailureAt: 0 };
    if (elapsed() - known.lastFailureAt >= forgetMs) known.failures = 0;
    return known;
  }
  return {
    enter(key) {
      const record = find(key);
      if (record.failures + record.underWay >= freeFailures) {
        const waitMs = Math.min(firstWaitMs * 2 ** (record.failures - freeFailures), mostWaitMs);
        if (record.underWay > 0 || elapsed() - record.lastFailureAt < waitMs) throw throttled();
      }
      record.underWay++;
      save(key, record);
      const end = (failures: (before: number) => number) => {
        record.underWay--;
        record.failures = failures(record.failures);
        save(key, record);
      };
      return {
        succeed: () => end(() => 0),
        fail() {
          record.lastFailureAt = elapsed();
          end((before) => before + 1);
        },
        abandon: () => end((before) => before),
      };
    },
  };
}

function throttled(): UploadError {
  return new UploadError("too_many", "too many logins failed: wait before the next one", { reason: "LOGIN_THROTTLED" });
}
