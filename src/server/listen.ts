// One port for HTTP/1.1 and HTTP/2, with TLS or without: the http server listens (Node arms its header time-out only then),
// TLS is taken off where there is any, and connections that open with the HTTP/2 preface (RFC 9113, 3.4) are handed to
// an http2 server. So everything that bounds a connection is the same for both.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  createServer as createServer2,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { connectNodeAdapter } from "@connectrpc/connect-node";
import { createHttp2Sessions } from "./http2-sessions.js";
import type { TlsPair } from "./tls.js";
import { readOn1, readOn2 } from "./unread.js";
import { createWindows } from "./windows.js";

/** A Node request handler for either HTTP version, as the RPC adapter makes them. */
export type NodeHandler = ReturnType<typeof connectNodeAdapter>;

export interface Listener {
  /** As it is to be printed: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Connections to come are met with another certificate. */
  renewTls(pair: TlsPair): void;
  /** Takes no new connections and lets those that are idle go; resolves when all have gone. */
  close(): Promise<void>;
  /** Cuts what is left. */
  destroy(): void;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined for no TLS. */
  readonly tls?: TlsPair | undefined;
  readonly handler: NodeHandler;
  /** Told when a connection could not be taken; the port goes on. */
  readonly onError: (error: Error) => void;
  /** Shared by the HTTP/2 windows: what clients may send before it is read (bytes). */
  readonly maxBufferedBytes: number;
  /** How long a request's headers may take. Default: a minute. */
  readonly headersMs?: number;
  /** How long an HTTP/2 connection may have no stream open: as good as a silent one. Default: five minutes. */
  readonly http2IdleMs?: number;
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const sniffMs = 10_000;
const handshakeMs = 10_000;
const keepAliveMs = 30_000;
const http2Options = {
  settings: {
    initialWindowSize: 8 * 2 ** 20,
    maxConcurrentStreams: 1_000,
    // As much as http1's parser takes.
    maxHeaderListSize: 16 * 2 ** 10,
  },
  // A peer that sends more pings, settings or nonsense than a client has reason to loses its connection.
  maxOutstandingPings: 10,
  maxSettings: 32,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
};

export async function listen(options: ListenOptions): Promise<Listener> {
  const { headersMs = 60_000, http2IdleMs = 300_000 } = options;
  const sessions = createHttp2Sessions(http2IdleMs);
  const sockets = new Set<Socket>();
  /** Those that have not said yet which HTTP they speak; neither server knows them. */
  const undecided = new Set<Socket>();
  /** Those whose TLS handshake is under way, by their peers: the TLS server hands over a socket of its own. */
  const shaking = new Map<string, Socket>();
  let closing = false;
  const serve2 = (request: Http2ServerRequest, response: Http2ServerResponse) => {
    readOn2(request);
    options.handler(request, response);
  };
  const http2 = createServer2(http2Options, serve2);
  http2.on("checkContinue", (request, response) => {
    continueWhenRead(request, response);
    serve2(request, response);
  });
  const windows = createWindows(options.maxBufferedBytes);
  function take2(socket: Socket): void {
    const add = (session: ServerHttp2Session) => {
      if (!closing) windows.add(session);
      sessions.add(session, socket);
    };
    // Told before `emit` returns, unless TLS has agreed on something else.
    http2.once("session", add);
    http2.emit("connection", socket);
    http2.off("session", add);
  }
  // A part may take hours, its headers may not: with requestTimeout off, headersTimeout has to be set, or it would be
  // off too.
  const serve1 = (request: IncomingMessage, response: ServerResponse) => {
    readOn1(request, response, () => closing);
    // Whoever closes waits for calls, not for what else a kept connection may bring.
    response.once("close", () => closing && setImmediate(() => http1.closeIdleConnections()));
    options.handler(request, response);
  };
  const http1 = createServer(
    {
      requestTimeout: 0,
      headersTimeout: headersMs,
      connectionsCheckingInterval: Math.min(5_000, headersMs),
      keepAliveTimeout: 65_000,
    },
    serve1,
  );
  http1.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    continueWhenRead(request, response);
    serve1(request, response);
  });
  const takeHttp1 = http1.listeners("connection") as ((this: unknown, socket: Socket) => void)[];
  http1.removeAllListeners("connection");
  /** A connection whose bytes are plain: without TLS, or with it taken off. */
  function take(socket: Socket): void {
    undecided.add(socket);
    socket.on("close", () => undecided.delete(socket));
    sniff(socket, (isHttp2) => {
      undecided.delete(socket);
      if (!isHttp2) return takeHttp1.forEach((take) => void take.call(http1, socket));
      // An http1 server's sockets may stay half open; a dead HTTP/2 client would leave its handlers waiting for ever.
      socket.allowHalfOpen = false;
      take2(socket);
    });
  }
  // It never listens: it is given its connections. A handshake that fails ends the connection and nothing else.
  const tls =
    options.tls &&
    createTlsServer({
      ...options.tls,
      ALPNProtocols: ["h2", "http/1.1"],
      minVersion: "TLSv1.2",
      handshakeTimeout: handshakeMs,
    })
      .on("tlsClientError", (_error, socket: TLSSocket) => void socket.destroy())
      .on("secureConnection", (socket) => {
        shaking.delete(peerOf(socket));
        take(socket);
      });
  http1.on("connection", (socket: Socket) => {
    // A client that vanished without a word is found out, and its writer's seat is free again.
    socket.setKeepAlive(true, keepAliveMs);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    if (tls === undefined) return take(socket);
    const peer = peerOf(socket);
    shaking.set(peer, socket);
    socket.on("close", () => shaking.get(peer) === socket && shaking.delete(peer));
    tls.emit("connection", socket);
  });
  await new Promise<void>((resolve, reject) => {
    http1.once("error", reject);
    http1.listen(options.port, options.host, () => {
      http1.off("error", reject);
      http1.on("error", options.onError);
      resolve();
    });
  });
  const { address, family, port } = http1.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://${family === "IPv6" ? `[${address}]` : address}:${port}`,
    renewTls: (pair) => tls?.setSecureContext({ ...pair, minVersion: "TLSv1.2" }),
    close() {
      closing = true;
      const closed = new Promise<void>((resolve) => void http1.close(() => resolve()));
      http1.closeIdleConnections();
      for (const socket of [...undecided, ...shaking.values()]) socket.destroy();
      sessions.close();
      return closed;
    },
    destroy() {
      sessions.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}`;
}

/**
 * A client that waits for `100 Continue` is told to go on when somebody wants to read its body: what is refused from
 * headers alone is refused before the body is sent.
 */
function continueWhenRead(
  request: IncomingMessage | Http2ServerRequest,
  response: { readonly headersSent: boolean; writeContinue(): void },
): void {
  const read = request._read.bind(request);
  request._read = (size) => {
    request._read = read;
    if (!response.headersSent) response.writeContinue();
    read(size);
  };
}

/** Looks at the first bytes without taking them; gives a silent connection up. */
function sniff(socket: Socket, decide: (isHttp2: boolean) => void): void {
  let seen = Buffer.alloc(0);
  const ignore = () => undefined;
  const timer = setTimeout(() => socket.destroy(), sniffMs);
  const stop = () => {
    clearTimeout(timer);
    socket.off("readable", look);
    socket.off("error", ignore);
    socket.off("close", stop);
  };
  const look = () => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    seen = Buffer.concat([seen, chunk]);
    const compared = Math.min(seen.length, preface.length);
    const isHttp2 = seen.compare(preface, 0, compared, 0, compared) === 0;
    if (isHttp2 && compared < preface.length) return;
    stop();
    socket.unshift(seen);
    decide(isHttp2);
  };
  socket.on("error", ignore);
  socket.on("close", stop);
  socket.on("readable", look);
}
