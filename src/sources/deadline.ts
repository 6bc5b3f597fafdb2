import { SourceError } from "../core/index.js";

/**
 * Waits for `work`, for so long and no longer than the signal: then `giveUp` is called, and what is thrown is the error
 * of `late` or the signal's reason. What `work` comes to afterwards is nobody's business.
 */
export async function withDeadline<T>(
  work: Promise<T>,
  options: {
    readonly ms: number;
    readonly signal: AbortSignal;
    readonly late: () => Error;
    readonly giveUp?: () => void;
  },
): Promise<T> {
  const { signal } = options;
  let onAbort = () => {};
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    timer = setTimeout(() => reject(options.late()), options.ms);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([work, end]);
  } catch (error) {
    work.catch(() => undefined);
    options.giveUp?.();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** What a step of an exchange with a host ends with that took too long; `what` says of the host what it did not do. */
export function lateError(url: URL, what: string): SourceError {
  return new SourceError("timed_out", `${url.host} ${what}; try again later`);
}
