import { Duplex } from "node:stream";
import { concatBytes } from "./bytes.js";

/** The main thread's end of a connection: what the PostgreSQL driver takes for a socket. */
export interface WireStream {
  readonly duplex: Duplex;
  /** An answer, or a piece of one, has arrived. */
  arrived(bytes: Uint8Array): void;
  /** The last chunk was worked off. */
  taken(): void;
}

interface WireStreamDeps {
  /** Throws when there is no database to connect to. */
  assertOpen(): void;
  /** May take the bytes' buffer away. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** The stream is gone. Called once. */
  hangUp(): void;
}

/**
 * One chunk is under way at a time, and the next is sent only when the answer to the last was read: neither thread can
 * flood the other.
 */
export function createWireStream({ assertOpen, send, hangUp }: WireStreamDeps): WireStream {
  let unread = false;
  let underWay: (() => void) | undefined;
  let ready: (() => void) | undefined;

  function proceed(): void {
    if (unread || ready === undefined) return;
    const next = ready;
    ready = undefined;
    next();
  }

  const duplex = new Duplex({
    writev(chunks, callback) {
      underWay = callback;
      send(concatBytes(chunks.map(({ chunk }) => chunk as Uint8Array)));
    },
    read() {
      unread = false;
      proceed();
    },
    final(callback) {
      duplex.push(null);
      callback();
    },
    destroy(error, callback) {
      hangUp();
      callback(error);
    },
  });

  /** What the driver asks of a socket beyond a stream. */
  const socket = {
    connect() {
      process.nextTick(() => {
        try {
          assertOpen();
          duplex.emit("connect");
        } catch (error) {
          duplex.destroy(error as Error);
        }
      });
      return duplex;
    },
    setNoDelay: () => duplex,
    setKeepAlive: () => duplex,
    ref: () => duplex,
    unref: () => duplex,
  };

  return {
    duplex: Object.assign(duplex, socket),
    arrived(bytes) {
      if (!duplex.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) unread = true;
    },
    taken() {
      ready = underWay;
      underWay = undefined;
      proceed();
    },
  };
}
