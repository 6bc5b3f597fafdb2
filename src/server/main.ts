import { compose } from "./compose.js";
import { type Config, ConfigError, readConfig } from "./config.js";
import { lockFolder } from "./folder-lock.js";
import { createLog } from "./log.js";
import { refusalOf } from "./refusal.js";

const lockWaitMs = 15_000;

/**
 * Runs the server until it is told to stop; answers the exit code: 0 stopped, 1 could not start or go on, 2 wrong
 * settings.
 */
export async function runServer(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Settings by the same names, over the environment. */
  readonly flags: Readonly<Record<string, string>>;
}): Promise<number> {
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
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
    const lock = await lockFolder(config.dataDir, lockWaitMs, () =>
      log.info({ dataDir: config.dataDir }, "waiting for the server that holds the data folder"),
    );
    const server = await compose(config, log);
    const failed = server.failed.catch((error: unknown) => explain(error));
    const settled = server.settled.then(() => undefined, explain);
    const early = await Promise.race([settled, stopped, failed]);
    if (early === undefined) process.stdout.write(`listening on ${server.url}\n`);
    const signal = early ?? (await Promise.race([stopped, failed]));
    if (signal instanceof Error) {
      await server.stop().catch(() => undefined);
      throw signal;
    }
    log.info({ signal }, "stopping");
    await server.stop();
    await lock.release();
    log.info("stopped");
    return 0;
  } catch (error) {
    const refusal = refusalOf(error, config);
    if (refusal === undefined) log.error({ err: error }, "the server could not start, or not go on");
    const sentence = (refusal ?? explain(error)).message.replaceAll(/\s*\n\s*/g, " ");
    process.stderr.write(`slipway: ${sentence}\n`);
    return refusal instanceof ConfigError ? 2 : 1;
  }
}

function explain(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
