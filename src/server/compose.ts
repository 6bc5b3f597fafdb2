// The one file that knows every folder: configuration in, running parts out.
import { createAccess } from "../access/access.js";
import { ensureAdministrator } from "../access/first-administrator.js";
import { createPasswords } from "../access/passwords.js";
import { createUploads, defaultTenant, firstAdministrator } from "../core/index.js";
import { createDiskBlobStore } from "../storage/disk/blob-store.js";
import { connectDatabase } from "../storage/postgres/connect.js";
import { createMetadataStore } from "../storage/postgres/metadata-store.js";
import { migrate } from "../storage/postgres/migrate.js";
import { createAdministratorPassword } from "./administrator.js";
import { startBootstrap } from "./bootstrap.js";
import { loadCapabilityKey } from "./capability-key.js";
import type { Config } from "./config.js";
import { createFaces } from "./faces.js";
import { listen } from "./listen.js";
import type { Log } from "./log.js";
import { listenRefusal } from "./refusal.js";
import { startSweeping } from "./sweep.js";
import { loadTls, watchTls } from "./tls.js";

export interface RunningServer {
  readonly url: string;
  /**
   * Resolves when calls can be served, or it is known that the database is away: it may come later. Does not wait long
   * for a database that keeps its answer to itself.
   */
  readonly settled: Promise<void>;
  /** Rejects with what makes it pointless to go on. */
  readonly failed: Promise<never>;
  /** Lets calls finish for a while, commits what is cut, and lets go of everything. */
  stop(): Promise<void>;
}

const settleMs = 10_000;
const finishMs = 10_000;
const commitMs = 5_000;
const answerMs = 1_000;
const certificateMs = 60_000;

/** Starts everything; the caller holds the data folder's lock. */
export async function compose(config: Config, log: Log): Promise<RunningServer> {
  const { dataDir, durability } = config;
  const tls = config.tls && (await loadTls(config.tls));
  if (durability === "os") log.warn("SLIPWAY_DURABILITY=os: a power failure may lose acknowledged data");
  const blobs = await createDiskBlobStore({ dataDir, durability });
  const database = await connectDatabase({
    url: config.databaseUrl,
    dataDir,
    poolSize: config.databasePool,
    durability,
    onNotice: (line) => log.info(line),
  });
  const metadata = createMetadataStore(database.knex);
  const stopping = new AbortController();
  const passwords = createPasswords();
  const firstPassword = createAdministratorPassword(config, log);
  const bootstrap = startBootstrap({
    metadata,
    migrate: () => migrate(database.knex),
    blobs,
    ensureAdministrator: () => ensureAdministrator({ store: metadata, passwords, givePassword: firstPassword.give }),
    signal: stopping.signal,
    onRetry: (error, waitMs) => log.warn({ err: error, retryInMs: waitMs }, "the database cannot be reached"),
  });
  const clock = { now: () => new Date() };
  const uploads = createUploads({ metadata, blobs, clock, limits: config.limits });
  const access = createAccess({
    store: metadata,
    passwords,
    tokenIdleTtlMs: config.tokenIdleTtlMs,
    assertReady: () => bootstrap.assertDone(),
    onPasswordEnded: ({ user, tenant }) => {
      if (tenant.name === defaultTenant && user.name === firstAdministrator) firstPassword.remove();
    },
    onFlushError: (error) => log.warn({ err: error }, "the last uses of tokens could not be stored; they will be"),
  });
  const faces = createFaces({
    config,
    log,
    uploads,
    access,
    clock,
    capabilityKey: await loadCapabilityKey(dataDir),
    async checkReady() {
      bootstrap.assertDone();
      await Promise.all([metadata.checkHealth(), blobs.checkHealth()]);
    },
  });
  const listening = listen({
    ...config.listen,
    tls,
    handler: faces.handler,
    maxBufferedBytes: config.limits.maxBufferedBytes,
    onError: (error) => log.warn({ err: error }, "a connection could not be taken"),
  });
  const listener = await listening.catch((error: unknown) => {
    throw listenRefusal(config.listen, error);
  });
  const certificate =
    config.tls &&
    watchTls(config.tls, {
      everyMs: certificateMs,
      onPair: (pair) => {
        listener.renewTls(pair);
        log.info("took up a renewed certificate");
      },
      onError: (error) => log.warn({ err: error }, "the certificate stays as it was"),
    });
  const sweeper = startSweeping({
    uploads,
    options: config.sweep,
    onReport: (report) => log.debug(report, "swept"),
    onError: (error) => log.warn({ err: error }, "a sweep failed; it is tried again"),
  });

  return {
    url: listener.url,
    settled: database.kind === "embedded" ? bootstrap.tried : within(settleMs, bootstrap.tried),
    failed: Promise.race([bootstrap.done.then(() => database.stopped), database.stopped]).then((error) => {
      throw error;
    }),
    async stop() {
      certificate?.stop();
      faces.farewell();
      const closed = listener.close();
      await within(finishMs, Promise.all([closed, faces.idle()]));
      faces.cut();
      await within(commitMs, faces.idle());
      // The calls have ended; their answers may still be on their way out.
      await within(answerMs, closed);
      listener.destroy();
      stopping.abort();
      await bootstrap.done.catch(() => undefined);
      await within(commitMs, sweeper.stop());
      await within(commitMs, access.stop()).catch((error) =>
        log.warn({ err: error }, "the last uses of tokens are lost"),
      );
      await metadata.close();
      await database.close();
      await blobs.close();
    },
  };
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
