import { type FileHandle, open, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { BlobKey, BlobStore, ExtentWriter } from "../../core/index.js";
import { createAdoption } from "./adopted.js";
import { createCollection } from "./collection.js";
import { createSync, type Durability } from "./durability.js";
import { damageError, errorCode } from "./errors.js";
import { createExtentWriter, readExtent } from "./extents.js";
import { createFolders } from "./folders.js";
import { createGate, type Gate } from "./gate.js";
import { createHandleCache } from "./handle-cache.js";
import { createInspection } from "./inspection.js";
import { readRecord } from "./pack-reader.js";
import { createPackWriter } from "./packs.js";
import { createPaths, parseBlobKey } from "./paths.js";
import { loadStoreId } from "./store-id.js";
import { createTrash } from "./trash.js";

export interface DiskBlobStoreOptions {
  /** Made if it is not there. One process at a time may have a store open in it. */
  readonly dataDir: string;
  readonly durability: Durability;
  /** The size at which a pack is ended and the next begun. */
  readonly packBytes?: number;
  /** How many packs are kept open for reading. */
  readonly openPacks?: number;
}

/**
 * A blob store in a folder: `store-id`, `extents/<xx>/<id>` (an extent a file), `packs/<id>` (many small contents a
 * file) and `trash/<xx>`. Nothing but complete names and whole files is ever relied on, so that there is nothing to
 * repair at a start.
 */
export async function createDiskBlobStore(options: DiskBlobStoreOptions): Promise<BlobStore> {
  const { packBytes = 256 * 1024 * 1024, openPacks = 32 } = options;
  const paths = createPaths(resolve(options.dataDir));
  const sync = createSync(options.durability);
  const gate = createGate();
  const folders = await gate.pass(() => createFolders(paths, sync));
  const storeId = await gate.pass(() => loadStoreId(paths.dataDir, sync));
  const packs = createPackWriter({ paths, sync, packBytes });
  const packHandles = createHandleCache(openPacks);
  const trash = createTrash({ paths, folders, sync });
  const collection = createCollection({ paths, packs, packHandles, trash });

  const inspection = createInspection({ paths, folders, packs, trash });
  const adoption = createAdoption({ paths, folders, sync });

  async function* listOld(writtenBefore: Date) {
    adoption.forget(writtenBefore);
    for await (const key of collection.listKeys(writtenBefore)) if (!adoption.adoptedAt(key)) yield key;
  }

  async function* listPieces() {
    for await (const piece of inspection.listStored()) {
      const adoptedAt = piece.key && adoption.adoptedAt(piece.key);
      yield adoptedAt === undefined ? piece : { ...piece, writtenAt: adoptedAt };
    }
  }

  async function* readKey(key: BlobKey, offset: number, length: number, signal: AbortSignal | undefined) {
    signal?.throwIfAborted();
    assertRange(offset, length);
    const parsed = parseBlobKey(key);
    if (parsed.kind === "extent") {
      const openFile = () => trash.open({ kind: "extent", id: parsed.id });
      yield* readExtent(openFile, () => folders.assertPresent("extent"), { key, offset, length }, signal);
      return;
    }
    if (offset + length > parsed.length) throw damageError(key, `bytes up to ${offset + length} were expected`);
    const payload = await readPacked(key, parsed);
    if (length > 0) yield payload.subarray(offset, offset + length);
  }

  async function readPacked(key: BlobKey, record: { packId: string; offset: number; length: number }) {
    const read = (handle: FileHandle) => readRecord(handle, record, { key, length: record.length });
    try {
      return await packHandles.use(paths.pack(record.packId), read);
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
      return readTrashed(key, record.packId, read);
    }
  }

  async function readTrashed<T>(key: BlobKey, packId: string, read: (handle: FileHandle) => Promise<T>): Promise<T> {
    const handle = await trash.open({ kind: "pack", id: packId }).catch(async (error: unknown) => {
      if (errorCode(error) !== "ENOENT") throw error;
      await folders.assertPresent("pack");
      throw damageError(key, "their pack is not there", error);
    });
    try {
      return await read(handle);
    } finally {
      await handle.close();
    }
  }

  /** A real write, as long as a file system's block: a name alone may still fit where no content does. */
  async function probe(): Promise<void> {
    const path = join(paths.trash, "probe");
    const handle = await open(path, "w", 0o600);
    try {
      await handle.writeFile(new Uint8Array(4096));
      await sync.content(handle);
    } finally {
      await handle.close();
      await rm(path, { force: true });
    }
  }

  return {
    storeId,
    createExtent: () => gate.pass(async () => guardExtent(gate, await createExtentWriter({ paths, folders, sync }))),
    adoptExtent: (link) => gate.pass(() => adoption.adopt(link)),
    readMark: (key) => gate.pass(() => adoption.readMark(key)),
    putSmall: (chunks) => gate.pass(() => packs.put(chunks)),
    read: (key, offset, length, signal) => gate.stream(readKey(key, offset, length, signal)),
    listKeys: ({ writtenBefore, batchSize }) => gate.stream(inBatches(listOld(writtenBefore), batchSize)),
    moveToTrash: (keys) => gate.pass(() => collection.moveToTrash(keys)),
    listTrash: ({ trashedBefore, batchSize }) => gate.stream(inBatches(collection.listTrash(trashedBefore), batchSize)),
    restoreFromTrash: (keys) => gate.pass(() => collection.restoreFromTrash(keys)),
    deleteFromTrash: (keys) => gate.pass(() => collection.deleteFromTrash(keys)),
    findBytes: (key) => gate.pass(() => inspection.findBytes(key)),
    listStored: ({ batchSize }) => gate.stream(inBatches(listPieces(), batchSize)),
    listForeign: () => gate.stream(inspection.listForeign()),
    checkHealth: () => gate.pass(probe),
    async close() {
      await gate.close();
      await packs.close();
      await packHandles.close();
    },
  };
}

function guardExtent(gate: Gate, writer: ExtentWriter): ExtentWriter {
  const unhold = gate.hold(writer.close);
  return {
    key: writer.key,
    write: (chunks) => gate.pass(() => writer.write(chunks)),
    sync: () => gate.pass(() => writer.sync()),
    async close() {
      unhold();
      await writer.close();
    },
  };
}

function assertRange(offset: number, length: number): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && Number.isSafeInteger(offset + length);
  if (!whole || offset < 0 || length < 0) throw new TypeError(`a range of ${length} bytes at ${offset}`);
}

async function* inBatches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[], void, undefined> {
  if (!Number.isSafeInteger(size) || size < 1) throw new TypeError(`a batch size of ${size}`);
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
