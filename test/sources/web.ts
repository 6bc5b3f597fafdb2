// Servers that content is pulled from, as good or bad as a test needs them, and the reading of what they serve.
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createRawServer, type Server as RawServer, type Socket } from "node:net";
import { afterEach } from "vitest";
import {
  type ContentSource,
  type OpenedContent,
  parseSource,
  SourceError,
  type SourcePosition,
} from "../../src/core/index.js";
import { createAddressPolicy, parsePullAllow } from "../../src/sources/address-policy.js";
import { createHttpSource, type HttpSourceDeps } from "../../src/sources/http.js";
import type { Certificate } from "../support/certificate.js";

export interface WebServer {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly IncomingMessage[];
}

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

export async function serve(
  listener: RequestListener,
  options: { readonly host?: string; readonly port?: number; readonly tls?: Certificate } = {},
): Promise<WebServer> {
  const { host = "127.0.0.1", port = 0, tls } = options;
  const requests: IncomingMessage[] = [];
  const listen: RequestListener = (request, response) => {
    requests.push(request);
    listener(request, response);
  };
  const server = tls === undefined ? createServer(listen) : createTlsServer(tls, listen);
  const taken = await listenOn(server, host, port);
  const name = host.includes(":") ? `[${host}]` : host;
  return { url: `${tls === undefined ? "http" : "https"}://${name}:${taken}`, port: taken, requests };
}

/** For what no HTTP server would do. */
export async function serveRaw(onConnection: (socket: Socket) => void): Promise<string> {
  const server = createRawServer((socket) => {
    socket.on("error", () => undefined);
    onConnection(socket);
  });
  return `http://127.0.0.1:${await listenOn(server, "127.0.0.1", 0)}`;
}

async function listenOn(server: Server | RawServer, host: string, port: number): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(port, host);
  await once(server, "listening");
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return (server.address() as AddressInfo).port;
}

/** Waits longer than any test runs, so that only the step under test gives up. */
export const patient = {
  lookUpMs: 120_000,
  connectMs: 120_000,
  tlsMs: 120_000,
  firstByteMs: 120_000,
  stallMs: 120_000,
  stallBytes: 1,
};

/** May reach 127.0.0.1 and nothing else of this machine, unless told otherwise. */
export function createSource(allow = "127.0.0.1", deps: Partial<HttpSourceDeps> = {}): ContentSource {
  return createHttpSource({ policy: createAddressPolicy(parsePullAllow(allow)!), timeouts: patient, ...deps });
}

export async function open(
  source: ContentSource,
  uri: string,
  options: { readonly thumbprint?: string; readonly from?: SourcePosition; readonly signal?: AbortSignal } = {},
): Promise<OpenedContent> {
  const request = { ...parseSource(uri, options.thumbprint), from: options.from };
  return await source.open(request, options.signal ?? new AbortController().signal);
}

export async function readAll(content: OpenedContent): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What was read before it failed, and the failure. */
export async function readUntilFailure(content: OpenedContent): Promise<{ read: Buffer; error: SourceError }> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of content.bytes) chunks.push(chunk);
  } catch (error) {
    if (error instanceof SourceError) return { read: Buffer.concat(chunks), error };
    throw error;
  }
  throw new Error("it was read to its end");
}

export async function failureOf(work: Promise<unknown>): Promise<SourceError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SourceError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}
