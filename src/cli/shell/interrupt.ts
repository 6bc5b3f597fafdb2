/** The command was interrupted before its end. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/**
 * Turns the first Ctrl-C into an aborted signal, so that the command can say how to go on; the second one ends the
 * process.
 */
export async function withInterrupt<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onInterrupt = () => {
    if (controller.signal.aborted) process.exit(interruptedExitCode);
    controller.abort(new Interrupted("interrupted"));
  };
  process.on("SIGINT", onInterrupt);
  try {
    return await run(controller.signal);
  } catch (error) {
    // Whatever it broke with on its way out, this is why.
    throw controller.signal.aborted ? new Interrupted("interrupted", { cause: error }) : error;
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

/** As shells count it: 128 and the signal's number. */
export const interruptedExitCode = 130;

/** Waits for something that knows no signal of its own, such as a person or a slow reader; leaves it at an abort. */
export async function unlessAborted<T>(waiting: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([waiting, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    waiting.catch(() => undefined);
  }
}
