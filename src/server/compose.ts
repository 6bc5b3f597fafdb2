// The one file that knows every folder: configuration in, running parts out.
import { Code, ConnectError } from "@connectrpc/connect";
import { compressionGzip, connectNodeAdapter } from "@connectrpc/connect-node";
import { Health } from "../../gen/grpc/health/v1/health_pb.js";
import { createAccess } from "../access/access.js";
import { ensureAdministrator } from "../access/first-administrator.js";
import { createPasswords } from "../access/passwords.js";
import { createUploads, defaultTenant, firstAdministrator } from "../core/index.js";
import { capabilityPrefix } from "../rest/kit/index.js";
import { refuseMalformed } from "../rpc/malformed.js";
import { createRequestValues } from "../rpc/request.js";
import { createInterceptors, maxMessageBytes, type RpcDeps, registerServices } from "../rpc/routes.js";
import { createDiskBlobStore } from "../storage/disk/blob-store.js";
import { connectDatabase } from "../storage/postgres/connect.js";
import { createMetadataStore } from "../storage/postgres/metadata-store.js";
import { migrate } from "../storage/postgres/migrate.js";
import { startBootstrap } from "./bootstrap.js";
import { loadCapabilityKey } from "./capability-key.js";
import { createCapabilityUrls } from "./capability-urls.js";
import type { Config } from "./config.js";
import { createCors, rpcCors } from "./cors.js";
import { createDrain } from "./drain.js";
import { createHealthHandler } from "./health.js";
import { createHealthService } from "./health-service.js";
import { createInitialPassword } from "./initial-password.js";
import { listen, type NodeHandler } from "./listen.js";
import type { Log } from "./log.js";
import { createRequestReader } from "./node-http.js";
import { registerReflection, servicesOf } from "./reflection.js";
import { startSweeping } from "./sweep.js";
import { loadTls, watchTls } from "./tls.js";
import { createTracing } from "./tracing.js";
import { createWireHandler } from "./wire-http.js";

export interface RunningServer {
  readonly url: string;
  /** Rejects with what makes it pointless to go on. */
  readonly failed: Promise<never>;
  /** Lets calls finish for a while, commits what is cut, and lets go of everything. */
  stop(): Promise<void>;
}

const finishMs = 10_000;
const commitMs = 5_000;
const answerMs = 1_000;
const certificateMs = 60_000;

/** `/package.Service/Method`, whether it is there or not. */
const rpcPath = /^\/[a-z0-9_]+(\.[a-z0-9_]+)*\.[A-Z]\w*\/\w+(\?|$)/;

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
  const initialPassword = createInitialPassword(dataDir);
  async function givePassword(): Promise<string> {
    if (config.adminPassword !== undefined) {
      removeInitialPassword();
      return config.adminPassword;
    }
    const password = await initialPassword.ensure();
    log.info({ file: initialPassword.path }, "the administrator's password is in this file");
    return password;
  }
  /** Nobody waits for it: a password that is no longer good does no harm. */
  function removeInitialPassword(): void {
    initialPassword.remove().then(
      (removed) => removed && log.info({ file: initialPassword.path }, "removed the administrator's first password"),
      (error) => log.warn({ err: error }, "the administrator's first password could not be removed"),
    );
  }
  const bootstrap = startBootstrap({
    metadata,
    migrate: () => migrate(database.knex),
    blobs,
    ensureAdministrator: () => ensureAdministrator({ store: metadata, passwords, givePassword }),
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
      if (tenant.name === defaultTenant && user.name === firstAdministrator) removeInitialPassword();
    },
    onFlushError: (error) => log.warn({ err: error }, "the last uses of tokens could not be stored; they will be"),
  });
  const capabilityUrls = createCapabilityUrls({
    key: await loadCapabilityKey(dataDir),
    uploads,
    callerOf: access.callerOf,
    now: clock.now,
    logCause: (error, { id, method }) => log.error({ err: error, requestId: id, method }, "a request failed"),
  });

  const farewell = new AbortController();
  const rpc: RpcDeps = {
    uploads,
    deadlines: config.deadlines,
    access,
    stopping: farewell.signal,
    offerUpload: capabilityUrls.offerUpload,
    logUnexpected: (error, method, requestId) => log.error({ err: error, method, requestId }, "a call failed"),
  };
  const checkReady = async () => {
    bootstrap.assertDone();
    await Promise.all([metadata.checkHealth(), blobs.checkHealth()]);
  };
  const drain = createDrain();
  const cut = new AbortController();
  const requests = createRequestReader(config);
  const health = createHealthHandler(checkReady);
  const capability = createWireHandler({
    handle: capabilityUrls.handle,
    describe: requests.requestOf,
    track: drain.track,
    cut: cut.signal,
    logUnexpected: (error, { id, method }) => log.error({ err: error, requestId: id, method }, "a request failed"),
  });
  const rpcHandler = connectNodeAdapter({
    routes(router) {
      registerServices(router, rpc);
      const services = () => servicesOf(router);
      router.service(Health, createHealthService({ services, checkReady, leaving: farewell.signal }));
      registerReflection(router);
      refuseMalformed(router);
    },
    contextValues: (request) => createRequestValues(requests.requestOf(request)),
    interceptors: [drain.interceptor, createTracing(), ...createInterceptors(rpc)],
    readMaxBytes: maxMessageBytes,
    acceptCompression: [compressionGzip],
    shutdownSignal: cut.signal,
    fallback: (request, response) =>
      (request.url?.startsWith(capabilityPrefix) ? capability : health)(request, response),
  });
  const answer = refuseUnreadable(rpcHandler);
  const cors = createCors({ ...rpcCors, origins: config.corsOrigins });
  const listener = await listen({
    ...config.listen,
    tls,
    handler: requests.identify((request, response) => {
      if (rpcPath.test(request.url ?? "") && cors(request, response)) return;
      answer(request, response);
    }),
    maxBufferedBytes: config.limits.maxBufferedBytes,
    onError: (error) => log.warn({ err: error }, "a connection could not be taken"),
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
    failed: Promise.race([bootstrap.done.then(() => database.stopped), database.stopped]).then((error) => {
      throw error;
    }),
    async stop() {
      certificate?.stop();
      farewell.abort(new ConnectError("the server is stopping", Code.Unavailable));
      const closed = listener.close();
      await within(finishMs, Promise.all([closed, drain.idle()]));
      cut.abort(new ConnectError("the server is stopping", Code.Unavailable));
      await within(commitMs, drain.idle());
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

/** The adapter throws in the face of a request whose Host makes no URL, before anything could answer it. */
function refuseUnreadable(handler: NodeHandler): NodeHandler {
  return (request, response) => {
    try {
      handler(request, response);
    } catch {
      if (!response.headersSent) response.writeHead(400);
      response.end();
    }
  };
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
