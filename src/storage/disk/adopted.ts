import { constants } from "node:fs";
import { lstat, open, rm } from "node:fs/promises";
import type { AdoptedExtent, BlobKey } from "../../core/index.js";
import type { Sync } from "./durability.js";
import { damageError, errorCode } from "./errors.js";
import type { Folders } from "./folders.js";
import { createFileId, formatExtentKey, type Paths, parseBlobKey } from "./paths.js";

/** Extents whose files came from outside by a second name. */
export interface Adoption {
  adopt<T>(link: (path: string) => Promise<T | undefined>): Promise<AdoptedExtent<T> | undefined>;
  readMark(key: BlobKey): Promise<string>;
  /**
   * When the key was taken in; undefined for all others. Its file is as old as it was, so that it would be taken for
   * litter before a row names it. After a restart it is: what was not named by then never will be.
   */
  adoptedAt(key: BlobKey): Date | undefined;
  /** Forgets those that were taken in before. */
  forget(before: Date): void;
}

export function createAdoption(deps: {
  readonly paths: Paths;
  readonly folders: Folders;
  readonly sync: Sync;
}): Adoption {
  const { paths, folders, sync } = deps;
  const young = new Map<BlobKey, Date>();

  return {
    async adopt(link) {
      const id = createFileId();
      const key = formatExtentKey(id);
      await folders.ensure(paths.extentFolder(id));
      young.set(key, new Date());
      try {
        const linked = await link(paths.extent(id));
        if (linked === undefined) {
          young.delete(key);
          return undefined;
        }
        return { key, linked, mark: await settle(id) };
      } catch (error) {
        young.delete(key);
        // The file is still there under the name that it had.
        await rm(paths.extent(id), { force: true }).catch(() => undefined);
        throw error;
      }
    },
    async readMark(key) {
      const parsed = parseBlobKey(key);
      if (parsed.kind !== "extent") throw new TypeError(`${key} is no extent`);
      try {
        return await markOf(parsed.id);
      } catch (error) {
        if (errorCode(error) !== "ENOENT") throw error;
        await folders.assertPresent("extent");
        throw damageError(key, "they are not there", error);
      }
    },
    adoptedAt: (key) => young.get(key),
    forget(before) {
      for (const [key, at] of young) if (at < before) young.delete(key);
    },
  };

  /** Whoever wrote the file may not have synced it. */
  async function settle(id: string): Promise<string> {
    const handle = await open(paths.extent(id), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      await Promise.all([sync.content(handle), sync.folder(paths.extentFolder(id))]);
    } finally {
      await handle.close();
    }
    return markOf(id);
  }

  async function markOf(id: string): Promise<string> {
    const { dev, ino, size, mtimeNs } = await lstat(paths.extent(id), { bigint: true });
    return [dev, ino, size, mtimeNs].join("-");
  }
}
