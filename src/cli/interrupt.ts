/**
 * Turns the first Ctrl-C into an aborted signal, so that the command can say how to go on; the second one ends the
 * process.
 */
export async function withInterrupt<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onInterrupt = () => {
    if (controller.signal.aborted) process.exit(interruptedExitCode);
    controller.abort(new Error("interrupted"));
  };
  process.on("SIGINT", onInterrupt);
  try {
    return await run(controller.signal);
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

/** As shells count it: 128 and the signal's number. */
export const interruptedExitCode = 130;
