// What the outside says to a server process that shall end.

/** Nothing but this listens to the signals, so that none of them ends the process by itself. */
export interface StopSignals {
  /** Aborts at the first one, with its name as the reason. */
  readonly stop: AbortSignal;
  /** Aborts at the second one: whoever sends it does not want to wait for calls. */
  readonly hurry: AbortSignal;
}

/** SIGHUP, too: a terminal that is closed is no reason to lose what has arrived. */
const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

export function listenForSignals(): StopSignals {
  const stop = new AbortController();
  const hurry = new AbortController();
  for (const signal of signals) {
    process.on(signal, () => (stop.signal.aborted ? hurry : stop).abort(signal));
  }
  return { stop: stop.signal, hurry: hurry.signal };
}
