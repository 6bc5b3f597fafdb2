// What is left of a request's body when its answer is out. Many a client writes its whole message before it reads
// anything, and a connection that is closed over unread bytes is reset, which takes the answer along (RFC 9112, 9.6).
// So the rest is read into nothing, as far as it is a message and no flood.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest } from "node:http2";

type NodeRequest = IncomingMessage | Http2ServerRequest;

const unreadBytes = 16 * 2 ** 20;
const unreadMs = 10_000;
const lastWordMs = 1_000;

/**
 * Once the answer is out, reads on; a client that sends more than a message gets a moment to read its answer, and then
 * loses the connection. One that could send so much is told not to use the connection again, and so is everyone whose
 * answer goes out when `isClosing`.
 */
export function readOn1(request: IncomingMessage, response: ServerResponse, isClosing: () => boolean): void {
  const { socket } = request;
  outliveReaders(request);
  const writeHead = response.writeHead;
  response.writeHead = (...head: unknown[]) => {
    if (isClosing() || (!request.complete && mayBeLong(request))) response.setHeader("connection", "close");
    return Reflect.apply(writeHead, response, head);
  };
  // First of all: Node's own listener would give up the body, and close a connection that is not kept.
  response.prependOnceListener("finish", () => {
    if (request.complete) return;
    const destroySoon = socket.destroySoon.bind(socket);
    let last = false;
    socket.destroySoon = () => {
      last = true;
      socket.end();
    };
    request.once("end", () => {
      socket.destroySoon = destroySoon;
      if (last) destroySoon();
    });
    const stop = discard(request, () => {
      request.pause();
      setTimeout(() => socket.destroy(), lastWordMs).unref();
    });
    socket.once("close", stop);
    // A connection that is kept would otherwise hold on to every request whose body it has read on for.
    request.once("end", () => socket.off("close", stop));
  });
}

/**
 * A stream that goes on is reset, and its connection lives (RFC 9113, 8.1): a moment after the answer, because some
 * clients never read an answer that comes together with the reset.
 */
export function readOn2(request: Http2ServerRequest): void {
  const { stream } = request;
  outliveReaders(request);
  stream.once("prefinish", () => {
    if (stream.readableEnded) return;
    letFlow(request);
    const timer = setTimeout(() => stream.close(), lastWordMs).unref();
    stream.once("close", () => clearTimeout(timer));
  });
}

/** Readers that stop early, as those of a refused message do, would destroy the request, and nobody could read on. */
function outliveReaders(request: NodeRequest): void {
  request[Symbol.asyncIterator] = () => request.iterator({ destroyOnReturn: false });
}

function mayBeLong({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > unreadBytes;
}

/** Calls `giveUp` once, if the body goes on for too long; whoever knows that it cannot do so any more calls the result. */
function discard(request: IncomingMessage, giveUp: () => void): () => void {
  let left = unreadBytes;
  const stop = () => {
    clearTimeout(timer);
    request.off("data", count);
  };
  const end = () => {
    stop();
    giveUp();
  };
  const count = (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) end();
  };
  const timer = setTimeout(end, unreadMs).unref();
  request.once("end", stop);
  request.on("data", count);
  letFlow(request);
  return stop;
}

/** Into nothing. As long as somebody waits for `readable`, nothing flows. */
function letFlow(request: NodeRequest): void {
  request.removeAllListeners("readable");
  request.resume();
}
