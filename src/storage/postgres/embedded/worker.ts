// The worker thread that owns PGlite. An error that nobody catches here ends it, which the main thread reports.

import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { createBackend } from "./backend.js";
import { DurableNodeFS, durableStartParams } from "./durable-fs.js";
import type { FromWorker, ToWorker, WorkerSettings } from "./messages.js";
import { createUpkeep } from "./upkeep.js";

const port = parentPort as MessagePort;
const { folder, durability } = workerData as WorkerSettings;
const disk = durability === "fsync" ? new DurableNodeFS(folder) : undefined;
const startParams = disk ? durableStartParams(PGlite.defaultStartParams) : PGlite.defaultStartParams;
const database = await PGlite.create({
  fs: disk ?? new NodeFS(folder),
  startParams: [...startParams, "-c", "shared_buffers=16MB"],
});
if (disk) await assertSyncs(database, disk);

const backend = createBackend(database, () => {
  if (disk?.failure !== undefined) throw new Error("a sync of the embedded database failed", { cause: disk.failure });
});
const upkeep = createUpkeep(database);
let current: number | undefined;
let latest = 0;
let queue = Promise.resolve();

function post(message: FromWorker, bytes?: Uint8Array<ArrayBuffer>): void {
  port.postMessage(message, bytes === undefined ? [] : [bytes.buffer]);
}

async function endCurrent(): Promise<void> {
  if (current === undefined) return;
  post({ kind: "gone", connection: current });
  current = undefined;
  await backend.reset();
}

async function handle(message: ToWorker): Promise<void> {
  if (message.kind === "close") {
    await database.close();
    return port.close();
  }
  const { connection } = message;
  if (message.kind === "gone") return connection === current ? endCurrent() : undefined;
  if (connection !== current) {
    if (connection <= latest) return post({ kind: "gone", connection });
    // There is one backend, so a new connection means that the client has given up the old one.
    await endCurrent();
    current = connection;
    latest = connection;
  }
  const more = await backend.receive(message.bytes, (bytes) => {
    if (bytes.length > 0) post({ kind: "bytes", connection, bytes }, bytes);
  });
  post({ kind: "taken", connection });
  if (!more) await endCurrent();
  if (backend.isIdle()) {
    await upkeep().catch((error: Error) => post({ kind: "notice", line: `database upkeep failed: ${error.message}` }));
  }
}

port.on("message", (message: ToWorker) => {
  queue = queue.then(() => handle(message));
});
post({ kind: "ready" });

/** A commit must reach the disk. That hangs on PGlite's inner layout, so it is tried at each start. */
async function assertSyncs(database: PGlite, disk: DurableNodeFS): Promise<void> {
  const before = disk.syncs;
  await database.exec("comment on database postgres is 'the embedded database of slipway'");
  if (disk.syncs === before) throw new Error("a commit of the embedded database did not reach the disk");
}
