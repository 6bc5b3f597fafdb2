import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { AccessService } from "../../../gen/slipway/upload/v1/access_service_pb.js";
import { BlobService } from "../../../gen/slipway/upload/v1/blob_service_pb.js";
import { CatalogService } from "../../../gen/slipway/upload/v1/catalog_service_pb.js";
import { FileService } from "../../../gen/slipway/upload/v1/file_service_pb.js";
import { MaintenanceService } from "../../../gen/slipway/upload/v1/maintenance_service_pb.js";
import { SessionService } from "../../../gen/slipway/upload/v1/session_service_pb.js";
import type { Connection } from "./settings.js";

export interface ClientOptions extends Pick<Connection, "url" | "protocol"> {
  readonly authorization: string | undefined;
  /** What else happens to each call. */
  readonly interceptors?: readonly Interceptor[];
}

export interface UploadClient {
  readonly sessions: Client<typeof SessionService>;
  readonly files: Client<typeof FileService>;
  readonly blobs: Client<typeof BlobService>;
  readonly catalog: Client<typeof CatalogService>;
  readonly access: Client<typeof AccessService>;
  readonly maintenance: Client<typeof MaintenanceService>;
  /** Lets go of the connections; calls that are under way fail. */
  close(): void;
}

/** How long a call without content may take before it is tried again. */
export const callTimeoutMs = 60_000;

/** The same for a call that carries content, on a line of no more than 8 KiB a second. */
export function contentTimeoutMs(sizeBytes: number): number {
  return callTimeoutMs + Math.ceil(sizeBytes / 8);
}

const readMaxBytes = 4 * 2 ** 20;
const windowBytes = 8 * 2 ** 20;

/** `authorization` undefined is for the one call that needs none: Login. */
export function connectClient(connection: ClientOptions): UploadClient {
  const { transport, close } = connection.protocol === "grpc" ? grpcOf(connection) : connectOf(connection);
  return {
    sessions: createClient(SessionService, transport),
    files: createClient(FileService, transport),
    blobs: createClient(BlobService, transport),
    catalog: createClient(CatalogService, transport),
    access: createClient(AccessService, transport),
    maintenance: createClient(MaintenanceService, transport),
    close,
  };
}

interface Wire {
  readonly transport: Transport;
  close(): void;
}

function connectOf(connection: ClientOptions): Wire {
  const agent = connection.url.startsWith("https:")
    ? new HttpsAgent({ keepAlive: true })
    : new HttpAgent({ keepAlive: true });
  const transport = createConnectTransport({
    baseUrl: connection.url,
    httpVersion: "1.1",
    nodeOptions: { agent },
    interceptors: interceptorsOf(connection),
    acceptCompression: [],
    readMaxBytes,
  });
  return { transport, close: () => agent.destroy() };
}

function grpcOf(connection: ClientOptions): Wire {
  const sessionManager = new Http2SessionManager(
    connection.url,
    { pingIntervalMs: 20_000 },
    { settings: { initialWindowSize: windowBytes } },
  );
  const transport = createGrpcTransport({
    baseUrl: connection.url,
    sessionManager,
    interceptors: interceptorsOf(connection),
    acceptCompression: [],
    readMaxBytes,
  });
  return { transport, close: () => sessionManager.abort() };
}

function interceptorsOf({ authorization, interceptors = [] }: ClientOptions): Interceptor[] {
  if (authorization === undefined) return [...interceptors];
  const authorize: Interceptor = (next) => (request) => {
    request.header.set("Authorization", authorization);
    return next(request);
  };
  return [...interceptors, authorize];
}
