/** A signal that aborts with another one, or when its time is over; whoever waits no longer says so by `end`. */
export interface TimeLimit {
  readonly signal: AbortSignal;
  end(): void;
}

/** `reason` is what it aborts with when the time is over. Nothing keeps the process alive for it. */
export function createTimeLimit(within: AbortSignal, ms: number, reason: () => unknown): TimeLimit {
  const controller = new AbortController();
  const pass = () => controller.abort(within.reason);
  const timer = setTimeout(() => controller.abort(reason()), ms);
  timer.unref();
  within.addEventListener("abort", pass);
  if (within.aborted) pass();
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      within.removeEventListener("abort", pass);
    },
  };
}
