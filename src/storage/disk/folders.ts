import { mkdir, readdir, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Sync } from "./durability.js";
import { errorCode } from "./errors.js";
import type { Paths } from "./paths.js";

/** The folders that keys spread over: made when first needed, so that a new store starts at once. */
export interface Folders {
  /** Makes a folder of the store if it is not there; its name is durable when this resolves. */
  ensure(path: string): Promise<void>;
}

/**
 * Makes the store's outer folders. Those that are already there are synced too: whoever made them may have died before
 * that.
 */
export async function createFolders(paths: Paths, sync: Sync): Promise<Folders> {
  const ready = new Map<string, Promise<void>>();
  const outermost = await mkdir(paths.dataDir, { recursive: true, mode: 0o700 });
  for (const folder of [paths.extents, paths.packs, paths.trash]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const present = folder === paths.packs ? [] : await readdir(folder);
    await sync.folder(folder);
    for (const path of [folder, ...present.map((name) => join(folder, name))]) ready.set(path, Promise.resolve());
  }
  await sync.folder(paths.dataDir);
  if (outermost !== undefined) await syncParents(paths.dataDir, outermost, sync);

  async function make(path: string): Promise<void> {
    try {
      await makeFolder(path);
      await sync.folder(dirname(path));
    } catch (error) {
      // A failed sync is not tried again: what is retried later is a new folder.
      await rmdir(path).catch(() => {});
      ready.delete(path);
      throw error;
    }
  }

  return {
    ensure(path) {
      const making = ready.get(path) ?? make(path);
      ready.set(path, making);
      return making;
    },
  };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

async function syncParents(innermost: string, outermost: string, sync: Sync): Promise<void> {
  for (let made = innermost; ; made = dirname(made)) {
    await sync.folder(dirname(made));
    if (made === outermost) return;
  }
}
