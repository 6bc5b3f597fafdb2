// Everything that answers on the port, by the path of a request: the typed RPCs, capability URLs, REST dialects, health.
import { setMaxListeners } from "node:events";
import { Code, ConnectError } from "@connectrpc/connect";
import { compressionGzip, connectNodeAdapter } from "@connectrpc/connect-node";
import { Health } from "../../gen/grpc/health/v1/health_pb.js";
import type { Access, Clock, Uploads } from "../core/index.js";
import type { WireHandler } from "../rest/kit/index.js";
import { ignoreFarDeadlines } from "../rpc/deadlines.js";
import { createTranslation } from "../rpc/errors.js";
import { guardFirstMessages } from "../rpc/first-message.js";
import { refuseMalformed } from "../rpc/malformed.js";
import { maxMessageBytes } from "../rpc/message-size.js";
import { createRequestValues } from "../rpc/request.js";
import { createInterceptors, type RpcDeps, registerServices } from "../rpc/routes.js";
import { createAccounts } from "./accounts.js";
import { createCapabilityUrls } from "./capability-urls.js";
import type { Config } from "./config.js";
import { capabilityCors, createCors, rpcCors } from "./cors.js";
import { findDialect, type MountedDialect, pathOf } from "./dialects.js";
import { createDrain } from "./drain.js";
import { createHealthHandler, type ReadinessCheck } from "./health.js";
import { createHealthService } from "./health-service.js";
import type { NodeHandler } from "./listen.js";
import type { Log } from "./log.js";
import { createMessageTimeout } from "./message-timeout.js";
import type { Metrics } from "./metrics.js";
import { createMetricsHandler, metricsPath } from "./metrics-handler.js";
import { createRequestReader, isLoopback } from "./node-http.js";
import { registerReflection, servicesOf } from "./reflection.js";
import { createRequestNames, isCapability, isRpc } from "./request-names.js";
import { createTracing } from "./tracing.js";
import { createWireHandler } from "./wire-http.js";

export interface Faces {
  readonly handler: NodeHandler;
  /** Those who wait for news get none any more: they would never let the server stop. */
  farewell(): void;
  /** How many calls are under way. */
  underWay(): number;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
  /** Ends what is under way; what has arrived of it is kept. */
  cut(): void;
}

export function createFaces(deps: {
  readonly config: Config;
  readonly log: Log;
  readonly uploads: Uploads;
  readonly access: Access;
  readonly clock: Clock;
  readonly capabilityKey: Uint8Array;
  readonly checkReady: ReadinessCheck;
  readonly metrics: Metrics;
  readonly dialects: readonly MountedDialect[];
}): Faces {
  const { config, log, uploads, access, clock, checkReady, metrics } = deps;
  const leaving = new AbortController();
  const cutting = new AbortController();
  // Every call listens to them while it runs, and Node would take more than ten for a leak.
  setMaxListeners(0, leaving.signal, cutting.signal);
  const drain = createDrain();
  const names = createRequestNames(deps.dialects);
  const requests = createRequestReader(config, createAccounts({ metrics, log, nameOf: names.nameOf }));
  const logRequest = (error: unknown, { id, method }: { readonly id: string; readonly method: string }) =>
    log.error({ err: error, requestId: id, method }, "a request failed");

  const capabilityUrls = createCapabilityUrls({
    key: deps.capabilityKey,
    uploads,
    principalOf: access.principalOf,
    now: clock.now,
    logCause: logRequest,
  });
  const serve = (handle: WireHandler) =>
    createWireHandler({
      handle,
      describe: requests.requestOf,
      track: drain.track,
      cut: cutting.signal,
      logUnexpected: logRequest,
    });
  const capability = serve(capabilityUrls.handle);
  const dialects = deps.dialects.map((dialect) => ({
    ...dialect,
    allow: dialect.cors && createCors({ ...dialect.cors, origins: config.corsOrigins }),
    serve: serve(dialect.handler.handle),
  }));
  const health = createHealthHandler(checkReady, leaving.signal);
  const scrape = createMetricsHandler({
    registry: metrics.registry,
    access,
    isLocal: (request) => isLoopback(config.listen.host) && requests.isLocal(request),
    requestOf: requests.requestOf,
    logUnexpected: (error, request) => logRequest(error, { ...requests.requestOf(request), method: "GET" }),
  });
  const fallback = (url: string | undefined) => {
    if (isCapability(url)) return capability;
    return findDialect(dialects, url)?.serve ?? (pathOf(url) === metricsPath ? scrape : health);
  };
  const rpc: RpcDeps = {
    uploads,
    access,
    deadlines: config.deadlines,
    keepUnreferencedMs: config.sweep.keepUnreferencedMs,
    stopping: leaving.signal,
    offerUpload: capabilityUrls.offerUpload,
    logUnexpected: (error, method, requestId) => log.error({ err: error, method, requestId }, "a call failed"),
  };
  const messages = createMessageTimeout(config.messageTimeoutMs);
  const answer = resumeAtClose(
    refuseUnreadable(
      connectNodeAdapter({
        routes(router) {
          registerServices(router, rpc);
          const services = () => servicesOf(router);
          router.service(Health, createHealthService({ services, checkReady, leaving: leaving.signal }));
          registerReflection(router);
          // Each puts itself around what is there: a deadline is read before the sender is asked for, and that before the
          // library's own refusals.
          refuseMalformed(router);
          guardFirstMessages(router, { access, translate: createTranslation(rpc.logUnexpected) });
          ignoreFarDeadlines(router);
          messages.read(router);
          names.read(router);
        },
        contextValues: (request) => createRequestValues(requests.requestOf(request)),
        interceptors: [drain.interceptor, createTracing(), ...createInterceptors(rpc)],
        readMaxBytes: maxMessageBytes,
        acceptCompression: [compressionGzip],
        shutdownSignal: cutting.signal,
        fallback: (request, response) => fallback(request.url)(request, response),
      }),
    ),
  );
  const allowRpc = createCors({ ...rpcCors, origins: config.corsOrigins });
  const allowCapability = createCors({ ...capabilityCors, origins: [] });
  return {
    handler: requests.identify((request, response) => {
      messages.watch(request);
      if (isRpc(request.url) && allowRpc(request, response)) return;
      if (isCapability(request.url) && allowCapability(request, response)) return;
      if (findDialect(dialects, request.url)?.allow?.(request, response) === true) return;
      answer(request, response);
    }),
    farewell: () => leaving.abort(new ConnectError("the server is stopping", Code.Unavailable)),
    underWay: drain.underWay,
    idle: drain.idle,
    cut: () => cutting.abort(new ConnectError("the server is stopping", Code.Unavailable)),
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

/**
 * After a write that has to wait the adapter waits for `drain`, which never comes once the other end has gone: whatever
 * answers would stay where it is for good, with the files and seats that it holds. Told so, it writes again, and fails.
 */
function resumeAtClose(handler: NodeHandler): NodeHandler {
  return (request, response) => {
    response.once("close", () => response.emit("drain"));
    handler(request, response);
  };
}
