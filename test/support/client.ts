// Typed clients as other people's programs are: over sockets, in each protocol that the port speaks.
import { Agent } from "node:http";
import { Agent as SecureAgent } from "node:https";
import { type Client, Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { AccessService } from "../../gen/slipway/upload/v1/access_service_pb.js";
import { BlobService } from "../../gen/slipway/upload/v1/blob_service_pb.js";
import { CatalogService } from "../../gen/slipway/upload/v1/catalog_service_pb.js";
import { ErrorInfoSchema, ErrorReason } from "../../gen/slipway/upload/v1/error_pb.js";
import { FileService } from "../../gen/slipway/upload/v1/file_service_pb.js";
import { MaintenanceService } from "../../gen/slipway/upload/v1/maintenance_service_pb.js";
import { SessionService } from "../../gen/slipway/upload/v1/session_service_pb.js";

/** Protocol and HTTP version. */
export const wires = ["connect/1.1", "grpc/2", "grpc-web/1.1", "connect/2"] as const;

export type Wire = (typeof wires)[number];

/** The two that every table runs over: what browsers and scripts speak, and what everybody else does. */
export const mainWires = ["connect/1.1", "grpc/2"] as const satisfies readonly Wire[];

export interface TestClient {
  readonly wire: Wire;
  readonly transport: Transport;
  readonly sessions: Client<typeof SessionService>;
  readonly files: Client<typeof FileService>;
  readonly catalog: Client<typeof CatalogService>;
  readonly blobs: Client<typeof BlobService>;
  readonly access: Client<typeof AccessService>;
  readonly maintenance: Client<typeof MaintenanceService>;
  /** Lets go of its connections at once. */
  close(): void;
}

/** A client with a connection of its own. It shows its token, else the header; without both it sends no credentials. */
export function openClient(
  server: { readonly url: string; readonly token?: string; readonly authorization?: string; readonly ca?: string },
  wire: Wire = "connect/1.1",
): TestClient {
  const { url, token, ca, authorization = token === undefined ? undefined : `Bearer ${token}` } = server;
  const shown = token ? `Bearer ${token}` : authorization;
  const { transport, close } = openTransport(url, wire, shown === undefined ? [] : [authorize(shown)], ca);
  return {
    wire,
    transport,
    sessions: createClient(SessionService, transport),
    files: createClient(FileService, transport),
    catalog: createClient(CatalogService, transport),
    blobs: createClient(BlobService, transport),
    access: createClient(AccessService, transport),
    maintenance: createClient(MaintenanceService, transport),
    close,
  };
}

function openTransport(
  baseUrl: string,
  wire: Wire,
  interceptors: Interceptor[],
  ca: string | undefined,
): { transport: Transport; close(): void } {
  if (wire === "connect/1.1" || wire === "grpc-web/1.1") {
    const agent = ca === undefined ? new Agent({ keepAlive: true }) : new SecureAgent({ keepAlive: true, ca });
    const options = { baseUrl, interceptors, httpVersion: "1.1" as const, nodeOptions: { agent } };
    const transport = wire === "connect/1.1" ? createConnectTransport(options) : createGrpcWebTransport(options);
    return { transport, close: () => agent.destroy() };
  }
  const sessionManager = new Http2SessionManager(baseUrl, undefined, ca === undefined ? undefined : { ca });
  const close = () => sessionManager.abort();
  if (wire === "grpc/2") return { transport: createGrpcTransport({ baseUrl, interceptors, sessionManager }), close };
  return {
    transport: createConnectTransport({ baseUrl, interceptors, httpVersion: "2", sessionManager }),
    close,
  };
}

function authorize(authorization: string): Interceptor {
  return (next) => (request) => {
    if (!request.header.has("authorization")) request.header.set("authorization", authorization);
    return next(request);
  };
}

/** An error as it arrived: the code and the reason by their names, and whatever else the detail says. */
export interface Refusal {
  /** `NOT_FOUND`. */
  readonly code: string;
  /** `SESSION_NOT_FOUND`; undefined without a detail. */
  readonly reason: string | undefined;
  readonly message: string;
  readonly expectedOffset?: number;
  readonly declared?: string;
  readonly actual?: string;
  readonly missing?: readonly string[];
  readonly limit?: { readonly setting: string; readonly value: number };
}

/** Reads the code and the detail of an error that a call threw. */
export function readRefusal(error: unknown): Refusal {
  if (!(error instanceof ConnectError)) throw error;
  const code = Code[error.code].replaceAll(/(?<!^)([A-Z])/g, "_$1").toUpperCase();
  const [info] = error.findDetails(ErrorInfoSchema);
  const { rawMessage: message } = error;
  if (info === undefined) return { code, reason: undefined, message };
  const { expectedOffset, declared, actual, missing, limit } = info;
  return {
    code,
    reason: ErrorReason[info.reason],
    message,
    ...(expectedOffset === undefined ? {} : { expectedOffset: Number(expectedOffset) }),
    ...(declared === undefined ? {} : { declared }),
    ...(actual === undefined ? {} : { actual }),
    ...(missing.length === 0 ? {} : { missing }),
    ...(limit === undefined ? {} : { limit: { setting: limit.setting, value: Number(limit.value) } }),
  };
}

/** How the call was refused; fails when it was not. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  let answer: unknown;
  try {
    answer = await call;
  } catch (error) {
    return readRefusal(error);
  }
  const text = JSON.stringify(answer, (_name, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  throw new Error(`the call was not refused, it answered ${text}`);
}
