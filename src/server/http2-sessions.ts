// HTTP/2 connections from their first word to their last: silent ones are let go of, and at the end all are.
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

export interface Http2Sessions {
  /** `socket` is what the session lives on. */
  add(session: ServerHttp2Session, socket: Socket): void;
  /** Lets go of all that there are, and of those to come. */
  close(): void;
  /** Cuts all that there are. */
  destroy(): void;
}

/** How long the other end may take to close what nothing is sent on any more. */
const lastWordMs = 1_000;

/** Lets go of each connection that has had no stream open for `idleMs`. */
export function createHttp2Sessions(idleMs: number): Http2Sessions {
  const sockets = new Map<ServerHttp2Session, Socket>();
  let closing = false;
  return {
    add(session, socket) {
      sockets.set(session, socket);
      session.once("close", () => sockets.delete(session));
      if (closing) letGo(session, socket);
      else letGoWhenIdle(session, socket, idleMs);
    },
    close() {
      closing = true;
      for (const [session, socket] of sockets) letGo(session, socket);
    },
    destroy() {
      for (const session of sockets.keys()) session.destroy();
    },
  };
}

/**
 * Ends a connection with the last of its streams, which may be now. The GOAWAY names the newest: what came after it, or
 * is still on its way, has been refused unseen, and clients may send it again without asking anybody (RFC 9113, 6.8).
 * Node reads no new streams once it has sent any GOAWAY, so to announce the end earlier, as the RFC has it, would only
 * keep them waiting for their refusal.
 */
function letGo(session: ServerHttp2Session, socket: Socket): void {
  // All has been sent by then; who has vanished would never close the other half.
  socket.once("finish", () => {
    const timer = setTimeout(() => socket.destroy(), lastWordMs);
    socket.once("close", () => clearTimeout(timer));
  });
  session.close();
}

/** Pings do not count: whoever has nothing to ask would shrink the windows of those who do, for as long as they like. */
function letGoWhenIdle(session: ServerHttp2Session, socket: Socket, idleMs: number): void {
  let streams = 0;
  const timer = setTimeout(() => streams === 0 && letGo(session, socket), idleMs);
  timer.unref();
  session.on("stream", (stream) => {
    streams++;
    stream.once("close", () => {
      streams--;
      timer.refresh();
    });
  });
  session.once("close", () => clearTimeout(timer));
}
