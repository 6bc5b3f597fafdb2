import { mkdir, readdir, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Sync } from "./durability.js";
import { errorCode, unavailable } from "./errors.js";
import { isFanOutName, type Paths } from "./paths.js";

/** The folders that keys spread over: made when first needed, so that a new store starts at once. */
export interface Folders {
  /** Makes a folder of the store if it is not there; its name is durable when this resolves. */
  ensure(path: string): Promise<void>;
  /**
   * Throws where a file that is not found may merely be out of reach: the store's id, the folder that such files lie in
   * or the trash is not there, is none of this medium, or was found empty by a store that is not new, as where a disk is
   * not mounted. Then no file is lost.
   */
  assertPresent(kind: "extent" | "pack"): Promise<void>;
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
  const isOld = (await readdir(paths.dataDir)).includes("store-id");
  const hadPacks = (await readdir(paths.packs)).length > 0;
  const devices = new Map<string, number>();
  for (const folder of [paths.extents, paths.packs, paths.trash]) devices.set(folder, (await stat(folder)).dev);
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
    async assertPresent(kind) {
      await stat(join(paths.dataDir, "store-id"));
      for (const folder of [kind === "extent" ? paths.extents : paths.packs, paths.trash]) {
        if ((await stat(folder)).dev !== devices.get(folder)) {
          throw unavailable(`the blob store failed: ${folder} lies on another device than at the start`);
        }
      }
      // The folders in it never go, so that this is a place where something else should be mounted.
      if (kind === "extent" && !(await readdir(paths.extents)).some(isFanOutName)) {
        throw unavailable(`the blob store failed: ${paths.extents} is empty`);
      }
      if (kind === "pack" && isOld && !hadPacks) {
        throw unavailable(`the blob store failed: ${paths.packs} was empty at the start`);
      }
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
