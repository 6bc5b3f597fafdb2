import { setTimeout as sleepFor } from "node:timers/promises";
import { CliError } from "../shell/cli-error.js";
import { formatSeconds } from "../shell/format.js";
import { describeError, isTransient, isUnheard } from "./rpc-error.js";

const firstDelayMs = 200;
const longestDelayMs = 5000;

export interface RetryRules {
  /** How long to go on without progress. */
  readonly retryForMs: number;
  readonly signal: AbortSignal;
  /** Says that it waits and why. */
  readonly notify: (error: unknown, delayMs: number) => void;
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<unknown>;
  readonly random?: () => number;
}

/** The patience of one piece of work, be it one call or a whole file. */
export interface Retry {
  /** Something got done: delay and patience begin anew. */
  progressed(): void;
  /**
   * Waits before the next try. Throws the error itself when it is final, or a failure that names it when patience is at
   * its end.
   */
  pause(error: unknown): Promise<void>;
  /** Repeats a call that is safe to repeat until it is answered. */
  call<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Makes a call that must not be repeated: only while nobody was there to take it is it tried again. */
  callOnce<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

export function createRetry(rules: RetryRules): Retry {
  const now = rules.now ?? (() => performance.now());
  const sleep = rules.sleep ?? ((ms) => sleepFor(ms, undefined, { signal: rules.signal }));
  const random = rules.random ?? Math.random;
  let failures = 0;
  let troubledSince: number | undefined;

  const retry: Retry = {
    progressed() {
      failures = 0;
      troubledSince = undefined;
    },
    async pause(error) {
      rules.signal.throwIfAborted();
      if (!isTransient(error)) throw error;
      troubledSince ??= now();
      const trouble = now() - troubledSince;
      if (trouble >= rules.retryForMs) {
        throw new CliError(
          `gave up after ${formatSeconds(trouble)} without progress: ${describeError(error)}`,
          1,
          error,
        );
      }
      const full = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(failures, 10));
      failures += 1;
      // Half of it is chance, so that many clients of a server that comes back do not all come at once.
      const delayMs = Math.min(full * (0.5 + random() / 2), Math.max(0, rules.retryForMs - trouble));
      rules.notify(error, delayMs);
      await sleep(delayMs);
    },
    async call(run) {
      for (;;) {
        try {
          return await run(rules.signal);
        } catch (error) {
          await retry.pause(error);
        }
      }
    },
    async callOnce(run) {
      for (;;) {
        try {
          return await run(rules.signal);
        } catch (error) {
          if (isUnheard(error)) await retry.pause(error);
          else if (isTransient(error)) {
            throw new CliError(`${describeError(error)}; it may have been done all the same`, 1, error);
          } else throw error;
        }
      }
    },
  };
  return retry;
}
