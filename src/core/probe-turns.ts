import { UploadError } from "./error.js";
import { type Limits, limitDetail } from "./limits.js";

/** Lets as many sources be probed at the same time as may be fetched from; further probes wait in their order. */
export interface ProbeTurns {
  /**
   * Does it when its turn comes; the signal's reason passes through before. Throws `too_many` (TOO_MANY_PROBES) at once
   * when 64 wait already, and when the turn does not come in 30 seconds.
   */
  take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

const mostWaiting = 64;
const longestMs = 30_000;

export function createProbeTurns(limits: Limits, longestWaitMs: number = longestMs): ProbeTurns {
  const waiting = new Set<() => void>();
  let running = 0;

  function refuse(): UploadError {
    const text = `${running} sources are being probed and ${waiting.size} more wait for that; try again later`;
    return new UploadError("too_many", text, {
      reason: "TOO_MANY_PROBES",
      limit: limitDetail(limits, "maxPulls"),
    });
  }

  function turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
        waiting.delete(enter);
      };
      const enter = () => {
        leave();
        resolve();
      };
      const abort = () => {
        leave();
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        leave();
        reject(refuse());
      }, longestWaitMs);
      signal.addEventListener("abort", abort);
      waiting.add(enter);
    });
  }

  /** Hands the place to whoever waits longest, so that no newcomer gets in between. */
  function end(): void {
    const [first] = waiting;
    if (first === undefined) running--;
    else first();
  }

  return {
    async take(work, signal) {
      signal.throwIfAborted();
      if (running < limits.maxPulls) running++;
      else if (waiting.size < mostWaiting) await turn(signal);
      else throw refuse();
      try {
        return await work();
      } finally {
        end();
      }
    },
  };
}
