import { compose } from "./compose.js";
import { type Config, ConfigError, readConfig } from "./config.js";
import { lockFolder } from "./folder-lock.js";
import { createLog, type Log } from "./log.js";
import { refusalOf } from "./refusal.js";
import type { StopSignals } from "./stop-signals.js";

const lockWaitMs = 15_000;

/**
 * Runs the server until it is told to stop; answers the exit code: 0 stopped, 1 could not start or go on, 2 wrong
 * settings.
 */
export async function runServer(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Settings by the same names, over the environment. */
  readonly flags: Readonly<Record<string, string>>;
  readonly signals: StopSignals;
  /** Of the program, for the log and the metrics. */
  readonly version: string;
}): Promise<number> {
  let config: Config;
  try {
    config = readConfig({ ...options.env, ...options.flags }, process.stderr.isTTY === true);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`slipway: ${error.message}\n`);
    return 2;
  }
  const log = createLog(config.log);
  try {
    await serve(config, log, options);
    return 0;
  } catch (error) {
    const refusal = refusalOf(error, config);
    if (refusal === undefined) log.error({ err: error }, "the server could not start, or not go on");
    const sentence = (refusal ?? explain(error)).message.replaceAll(/\s*\n\s*/g, " ");
    process.stderr.write(`slipway: ${sentence}\n`);
    return refusal instanceof ConfigError ? 2 : 1;
  }
}

/**
 * Resolves when the server has been stopped; rejects when it cannot start or go on. A start that is stopped is left as
 * it is: the caller ends the process, and every part stands being killed.
 */
async function serve(
  config: Config,
  log: Log,
  { signals: { stop, hurry }, version }: { readonly signals: StopSignals; readonly version: string },
): Promise<void> {
  const stopped = aborted(stop);
  const tellWaiting = () => log.info({ dataDir: config.dataDir }, "waiting for the server that holds the data folder");
  const lock = await Promise.race([lockFolder(config.dataDir, lockWaitMs, tellWaiting), stopped]);
  const server = lock && (await Promise.race([compose(config, log, version), stopped]));
  if (server === undefined) return log.info({ signal: stop.reason }, "stopped before it had started");
  const failed = server.failed.catch(explain);
  const settled = server.settled.then(() => undefined, explain);
  const early = await Promise.race([settled, stopped, failed]);
  if (early === undefined && !stop.aborted) process.stdout.write(`listening on ${server.url}\n`);
  const failure = early ?? (await Promise.race([stopped, failed]));
  if (failure !== undefined) {
    await server.stop().catch(() => undefined);
    throw failure;
  }
  log.info({ signal: stop.reason }, "stopping");
  // What still holds on to the folder lets go of it together with its lock: when the process ends.
  if (await server.stop(hurry)) await lock?.release();
  log.info("stopped");
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined));
  });
}

function explain(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
