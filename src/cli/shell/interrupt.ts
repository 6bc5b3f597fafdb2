/** As shells count it: 128 and the signal's number. */
export const interruptedExitCode = 130;
export const hungUpExitCode = 129;

/** What ends a command early: Ctrl-C, whoever shuts the machine down, and a terminal that is closed. */
const exitCodes = { SIGINT: interruptedExitCode, SIGTERM: 143, SIGHUP: hungUpExitCode } as const;

/** The command was interrupted before its end. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly exitCode: number;

  constructor(message: string, options?: ErrorOptions & { readonly exitCode?: number }) {
    super(message, options);
    this.exitCode = options?.exitCode ?? interruptedExitCode;
  }
}

/**
 * Turns the first Ctrl-C, SIGTERM or SIGHUP into an aborted signal, so that the command can say how to go on; the second
 * one ends the process.
 */
export async function withInterrupt<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    const exitCode = exitCodes[name as keyof typeof exitCodes];
    if (controller.signal.aborted) process.exit(exitCode);
    controller.abort(new Interrupted("interrupted", { exitCode }));
  };
  for (const name of Object.keys(exitCodes)) process.on(name, onSignal);
  try {
    return await run(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    // Whatever it broke with on its way out, this is why.
    throw new Interrupted("interrupted", { cause: error, exitCode: exitCodeOf(controller.signal) });
  } finally {
    for (const name of Object.keys(exitCodes)) process.off(name, onSignal);
  }
}

/** What a command answers that was aborted by this signal. */
export function exitCodeOf(signal: AbortSignal): number {
  return signal.reason instanceof Interrupted ? signal.reason.exitCode : interruptedExitCode;
}

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
