import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { BlobKey, ExtentWriter } from "../../core/index.js";
import type { Sync } from "./durability.js";
import { damageError, errorCode, unavailable } from "./errors.js";
import type { Folders } from "./folders.js";
import { createFileId, formatExtentKey, isFanOutName, isFileId, type Paths } from "./paths.js";
import { readFully, writeFully } from "./positional-io.js";

const readChunkBytes = 1024 * 1024;

/** Starts an extent file. A write or a sync that fails abandons it: nothing later is written to it or synced. */
export async function createExtentWriter(deps: {
  readonly paths: Paths;
  readonly folders: Folders;
  readonly sync: Sync;
}): Promise<ExtentWriter> {
  const { paths, folders, sync } = deps;
  const id = createFileId();
  const key = formatExtentKey(id);
  await folders.ensure(paths.extentFolder(id));
  const handle = await open(paths.extent(id), "wx", 0o600);
  let writtenBytes = 0;
  let syncedBytes = -1;
  let failure: { readonly cause: unknown } | undefined;

  async function orAbandon(deed: () => Promise<void>): Promise<void> {
    if (failure !== undefined) throw unavailable(`extent ${key} was abandoned after a failure`, failure.cause);
    try {
      await deed();
    } catch (error) {
      failure ??= { cause: error };
      throw error;
    }
  }

  /** The name is synced with the first bytes, at the same time: neither is worth anything without the other. */
  async function syncAll(): Promise<void> {
    const upTo = writtenBytes;
    if (syncedBytes === upTo) return;
    const deeds = [sync.content(handle)];
    if (syncedBytes < 0) deeds.push(sync.folder(paths.extentFolder(id)));
    const failed = (await Promise.allSettled(deeds)).find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    syncedBytes = upTo;
  }

  return {
    key,
    write: (chunks) =>
      orAbandon(async () => {
        const count = await writeFully(handle, chunks, writtenBytes);
        writtenBytes += count;
      }),
    sync: () => orAbandon(syncAll),
    async close() {
      await handle.close().catch(() => {});
    },
  };
}

/**
 * The bytes [offset, offset + length) of an extent. One that is missing or too short fails before the first of them.
 */
export async function* readExtent(
  openFile: () => Promise<FileHandle>,
  assertMedium: () => Promise<void>,
  range: { readonly key: BlobKey; readonly offset: number; readonly length: number },
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { key, offset, length } = range;
  const end = offset + length;
  const handle = await openForReading(openFile, assertMedium, key);
  try {
    const { size } = await handle.stat();
    if (size < end) throw damageError(key, `they end at offset ${size}, bytes up to ${end} were expected`);
    for (let at = offset; at < end; ) {
      signal?.throwIfAborted();
      const chunk = await readFully(handle, at, Math.min(readChunkBytes, end - at));
      if (chunk.byteLength === 0) throw damageError(key, `they were cut at offset ${at} while being read`);
      at += chunk.byteLength;
      yield chunk;
    }
  } finally {
    await handle.close();
  }
}

/** The keys of all extents last written before `writtenBefore`, a folder at a time. */
export async function* listExtents(paths: Paths, writtenBefore: Date): AsyncGenerator<BlobKey, void, undefined> {
  for (const folder of (await readdir(paths.extents)).filter(isFanOutName)) {
    for (const name of await readdir(join(paths.extents, folder))) {
      if (isFileId(name) && (await isOlder(paths.extent(name), writtenBefore))) yield formatExtentKey(name);
    }
  }
}

/** Opens the file of a key that some row names: that it is missing is damage, unless more than it is. */
async function openForReading(
  openFile: () => Promise<FileHandle>,
  assertMedium: () => Promise<void>,
  key: BlobKey,
): Promise<FileHandle> {
  try {
    return await openFile();
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    await assertMedium();
    throw damageError(key, "they are not there", error);
  }
}

/** False also for a file that is no longer there. */
export async function isOlder(path: string, than: Date): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs < than.getTime();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}
