// The one file that knows every folder: configuration in, running parts out.
import { createAccess } from "../access/access.js";
import { ensureAdministrator } from "../access/first-administrator.js";
import { createPasswords } from "../access/passwords.js";
import { createUploads, defaultTenant, firstAdministrator } from "../core/index.js";
import { folioOrigin, settleUpload } from "../rest/folio/index.js";
import { createDiskBlobStore } from "../storage/disk/blob-store.js";
import { connectDatabase } from "../storage/postgres/connect.js";
import { createMetadataStore } from "../storage/postgres/metadata-store.js";
import { migrate } from "../storage/postgres/migrate.js";
import { createAdministratorPassword } from "./administrator.js";
import { assertNoContent, startBootstrap } from "./bootstrap.js";
import type { Config } from "./config.js";
import { createFaces } from "./faces.js";
import { mountFolio } from "./folio.js";
import { mountImis } from "./imis.js";
import { loadKey } from "./key-file.js";
import { listen } from "./listen.js";
import type { Log } from "./log.js";
import { createMetrics } from "./metrics.js";
import { createProber, startPulling } from "./pull.js";
import { listenRefusal } from "./refusal.js";
import { registerState } from "./state-metrics.js";
import { stopServer } from "./stop.js";
import { startSweeping } from "./sweep.js";
import { tellAccess } from "./tell-access.js";
import { loadTls, watchTls } from "./tls.js";
import { mountVsphere } from "./vsphere.js";
import { within } from "./within.js";

export interface RunningServer {
  readonly url: string;
  /**
   * Resolves when calls can be served, or it is known that the database is away: it may come later. Does not wait long
   * for a database that keeps its answer to itself.
   */
  readonly settled: Promise<void>;
  /** Rejects with what makes it pointless to go on. */
  readonly failed: Promise<never>;
  /**
   * Lets calls finish for a while, or until `hurry` aborts, commits what is cut, and lets go of everything. False when
   * something holds on to the data folder until the process ends.
   */
  stop(hurry?: AbortSignal): Promise<boolean>;
}

const settleMs = 10_000;
const certificateMs = 60_000;

/** Starts everything; the caller holds the data folder's lock. */
export async function compose(config: Config, log: Log, version: string): Promise<RunningServer> {
  const { dataDir, durability } = config;
  const metrics = createMetrics(version);
  const tls = config.tls && (await loadTls(config.tls));
  if (durability === "os") log.warn("SLIPWAY_DURABILITY=os: a power failure may lose acknowledged data");
  const blobs = await createDiskBlobStore({ dataDir, durability });
  const database = await connectDatabase({
    url: config.databaseUrl,
    dataDir,
    poolSize: config.databasePool,
    durability,
    onNotice: (line) => log.info(line),
    assertNew: () => assertNoContent(blobs),
  });
  const metadata = createMetadataStore(database.knex);
  const clock = { now: () => new Date() };
  const observer = {
    ...metrics.observer,
    handedOver(writer: Parameters<typeof metrics.observer.handedOver>[0]) {
      metrics.observer.handedOver(writer);
      log.debug(writer, "a newcomer took over a file from its writer");
    },
  };
  const uploads = createUploads({
    metadata,
    blobs,
    clock,
    limits: config.limits,
    observer,
    settlers: { [folioOrigin]: settleUpload },
    prober: createProber(config),
  });
  const stopping = new AbortController();
  const passwords = createPasswords();
  const firstPassword = createAdministratorPassword(config, log);
  const bootstrap = startBootstrap({
    metadata,
    migrate: () => migrate(database.knex),
    blobs,
    ensureAdministrator: () => ensureAdministrator({ store: metadata, passwords, givePassword: firstPassword.give }),
    recover: () => uploads.failBrokenAttempts(),
    signal: stopping.signal,
    onRetry: (error, waitMs) => log.warn({ err: error, retryInMs: waitMs }, "the database cannot be reached"),
  });
  const known = createAccess({
    store: metadata,
    passwords,
    tokenIdleTtlMs: config.tokenIdleTtlMs,
    assertReady: () => bootstrap.assertDone(),
    onPasswordEnded: ({ user, tenant }) => {
      if (tenant.name === defaultTenant && user.name === firstAdministrator) firstPassword.remove();
    },
    onFlushError: (error) => log.warn({ err: error }, "the last uses of tokens could not be stored; they will be"),
  });
  const access = tellAccess(known, log, metrics.loginFailed);
  const puller = startPulling({ uploads, config, log, ready: bootstrap.done, onEnd: metrics.fetchEnded });
  let leaving = false;
  async function checkReady(): Promise<void> {
    bootstrap.assertDone();
    await Promise.all([metadata.checkHealth(), blobs.checkHealth()]);
  }
  registerState(metrics.registry, {
    dataDir,
    isReady: () => checkReady().then(() => !leaving),
    async countOpenSessions() {
      bootstrap.assertDone();
      return metadata.countOpenSessions();
    },
    bufferUse: uploads.bufferUse,
    maxBufferedBytes: config.limits.maxBufferedBytes,
    fetching: () => puller.running,
    poolUse: database.poolUse,
  });
  const faces = createFaces({
    config,
    log,
    uploads,
    access,
    clock,
    capabilityKey: await loadKey(dataDir, "capability-key"),
    checkReady,
    metrics,
    dialects: [
      mountFolio({ config, log, uploads, access, clock, tokenKey: await loadKey(dataDir, "folio-token-key") }),
      mountVsphere({ config, log, uploads, access, clock, urlKey: await loadKey(dataDir, "vsphere-url-key") }),
      mountImis({ config, log, uploads, access, clock }),
    ],
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
    onReport(report) {
      metrics.swept(report);
      const didSomething = Object.values(report).some((count) => count > 0);
      log[didSomething ? "info" : "debug"](report, "swept");
    },
    onError(error) {
      metrics.sweepFailed();
      log.warn({ err: error }, "a sweep failed; it is tried again");
    },
  });
  log.info(
    { version, node: process.versions.node, url: listener.url, database: database.kind, dataDir, durability },
    "listening",
  );
  bootstrap.done.then(
    () => log.info("ready"),
    () => undefined,
  );

  return {
    url: listener.url,
    settled: database.kind === "embedded" ? bootstrap.tried : within(settleMs, bootstrap.tried).then(() => undefined),
    failed: Promise.race([bootstrap.done.then(() => database.stopped), database.stopped]).then((error) => {
      throw error;
    }),
    async stop(hurry) {
      leaving = true;
      return await stopServer(
        { log, faces, listener, certificate, bootstrap, stopping, sweeper, puller, access, metadata, database, blobs },
        hurry,
      );
    },
  };
}
