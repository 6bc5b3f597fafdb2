// One port for HTTP/1.1 and HTTP/2 without TLS: the http server listens (Node arms its header time-out only then), and
// connections that open with the HTTP/2 preface (RFC 9113, 3.4) are handed to an http2 server.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createServer2, type Http2ServerRequest, type ServerHttp2Session } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { connectNodeAdapter } from "@connectrpc/connect-node";

/** A Node request handler for either HTTP version, as the RPC adapter makes them. */
export type NodeHandler = ReturnType<typeof connectNodeAdapter>;

export interface Listener {
  /** As it is to be printed: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Takes no new connections and lets those that are idle go; resolves when all have gone. */
  close(): Promise<void>;
  /** Cuts what is left. */
  destroy(): void;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly handler: NodeHandler;
  /** Told when a connection could not be taken; the port goes on. */
  readonly onError: (error: Error) => void;
  /** Shared by the HTTP/2 windows: what clients may send before it is read (bytes). */
  readonly maxBufferedBytes: number;
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const sniffMs = 10_000;
const headersMs = 60_000;
const keepAliveMs = 30_000;
const unreadBytes = 16 * 2 ** 20;
const unreadMs = 10_000;
const watchMs = 5;
const lastWordMs = 1_000;
const streamWindowBytes = 8 * 2 ** 20;
const smallestWindowBytes = 256 * 1024;
const largestWindowBytes = 16 * 2 ** 20;

export async function listen(options: ListenOptions): Promise<Listener> {
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  /** Those that have not said yet which HTTP they speak; neither server knows them. */
  const undecided = new Set<Socket>();
  let closing = false;
  const http2 = createServer2({ settings: { initialWindowSize: streamWindowBytes } }, options.handler);
  http2.on("checkContinue", (request, response) => {
    continueWhenRead(request, response);
    options.handler(request, response);
  });
  http2.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    if (closing) session.close();
    const share = options.maxBufferedBytes / sessions.size;
    session.setLocalWindowSize(Math.floor(Math.max(smallestWindowBytes, Math.min(largestWindowBytes, share))));
  });
  // A part may take hours, its headers may not: with requestTimeout off, headersTimeout has to be set, or it would be
  // off too.
  const serve1 = (request: IncomingMessage, response: ServerResponse) => {
    // A request that was destroyed has no socket any more.
    const { socket } = request;
    response.once("finish", () => {
      if (!request.complete) boundUnread(request, socket);
    });
    options.handler(request, response);
  };
  const http1 = createServer(
    { requestTimeout: 0, headersTimeout: headersMs, connectionsCheckingInterval: 5_000, keepAliveTimeout: 65_000 },
    serve1,
  );
  http1.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    continueWhenRead(request, response);
    serve1(request, response);
  });
  const takeHttp1 = http1.listeners("connection") as ((this: unknown, socket: Socket) => void)[];
  http1.removeAllListeners("connection");
  http1.on("connection", (socket: Socket) => {
    // A client that vanished without a word is found out, and its writer's seat is free again.
    socket.setKeepAlive(true, keepAliveMs);
    sockets.add(socket);
    undecided.add(socket);
    socket.on("close", () => {
      sockets.delete(socket);
      undecided.delete(socket);
    });
    sniff(socket, (isHttp2) => {
      undecided.delete(socket);
      if (!isHttp2) return takeHttp1.forEach((take) => void take.call(http1, socket));
      // An http1 server's sockets may stay half open; a dead HTTP/2 client would leave its handlers waiting for ever.
      socket.allowHalfOpen = false;
      http2.emit("connection", socket);
    });
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
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`,
    close() {
      closing = true;
      const closed = new Promise<void>((resolve) => void http1.close(() => resolve()));
      http1.closeIdleConnections();
      for (const socket of undecided) socket.destroy();
      for (const session of sessions) session.close();
      return closed;
    },
    destroy() {
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
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

/**
 * An answer is out and the request's body still comes in: Node would read all of it, however long, for the connection's next
 * request. So much of it is read that a client which writes its whole message before it reads anything gets its answer;
 * one that goes on gets a moment more to read it, and then loses the connection.
 */
function boundUnread(request: IncomingMessage, socket: Socket): void {
  const mostRead = socket.bytesRead + unreadBytes;
  const giveUpAt = performance.now() + unreadMs;
  const watch = setInterval(() => {
    const more = !request.complete && !socket.destroyed;
    if (more && socket.bytesRead <= mostRead && performance.now() < giveUpAt) return;
    clearInterval(watch);
    if (!more) return;
    socket.pause();
    setTimeout(() => socket.destroy(), lastWordMs).unref();
  }, watchMs);
  watch.unref();
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
