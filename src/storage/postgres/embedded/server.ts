import type { Duplex } from "node:stream";
import { Worker } from "node:worker_threads";
import { entryUrl } from "./entry.js";
import type { FromWorker, ToWorker, WorkerSettings } from "./messages.js";
import { createWireStream, type WireStream } from "./stream.js";

/** The `code` of the error that everything fails with once the worker has ended. It does not come back by itself. */
export const embeddedStoppedCode = "EMBEDDED_DATABASE_STOPPED";

const closeTimeoutMs = 10_000;

/** An embedded database, open in its worker thread. */
export interface EmbeddedServer {
  /** A stream that the PostgreSQL driver connects over. A new one takes the backend away from the one before. */
  connect(): Duplex;
  /** Resolves when the worker has ended without having been closed. */
  readonly stopped: Promise<Error>;
  /** Shuts the database down cleanly, then ends the worker. */
  close(): Promise<void>;
}

/**
 * Opens the database in `settings.folder`; fails if that is impossible, or if durability was asked for and is not had.
 */
export async function startEmbeddedServer(
  settings: WorkerSettings,
  onNotice: (line: string) => void,
): Promise<EmbeddedServer> {
  const worker = new Worker(entryUrl("worker"), { workerData: settings, execArgv: [], name: "slipway-database" });
  const streams = new Map<number, WireStream>();
  let stopped: Error | undefined;
  let closing = false;
  let latest = 0;
  let tellStopped: (why: Error) => void = () => undefined;
  const stoppedByItself = new Promise<Error>((resolve) => {
    tellStopped = resolve;
  });

  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const ready = new Promise<void>((resolve, reject) => {
    function stop(why: string, cause?: unknown): void {
      if (stopped === undefined) {
        stopped = Object.assign(new Error(why, { cause }), { code: embeddedStoppedCode });
        if (!closing || cause !== undefined) onNotice(why);
        if (!closing) tellStopped(stopped);
      }
      for (const { duplex } of streams.values()) duplex.destroy(stopped);
      reject(stopped);
    }
    worker.on("error", (error) => stop(`the embedded database has stopped: ${error.message}`, error));
    worker.on("exit", () => stop(closing ? "the embedded database is closed" : "the embedded database has stopped"));
    worker.on("message", (message: FromWorker) => {
      if (message.kind === "ready") return resolve();
      if (message.kind === "notice") return onNotice(message.line);
      const stream = streams.get(message.connection);
      if (message.kind === "bytes") stream?.arrived(message.bytes);
      else if (message.kind === "taken") stream?.taken();
      else stream?.duplex.destroy();
    });
  });

  function post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    if (stopped === undefined) worker.postMessage(message, transfer);
  }

  await ready;
  return {
    stopped: stoppedByItself,
    connect() {
      latest += 1;
      const connection = latest;
      const stream = createWireStream({
        assertOpen() {
          if (stopped) throw stopped;
        },
        send: (bytes) => post({ kind: "bytes", connection, bytes }, [bytes.buffer]),
        hangUp() {
          streams.delete(connection);
          post({ kind: "gone", connection });
        },
      });
      streams.set(connection, stream);
      return stream.duplex;
    },
    async close() {
      closing = true;
      post({ kind: "close" });
      const timer = setTimeout(() => void worker.terminate(), closeTimeoutMs);
      await exited;
      clearTimeout(timer);
    },
  };
}
