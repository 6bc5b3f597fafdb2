import { mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes the data folder, and those that it lies in, each durable before anything is made in it (P1). One that is there
 * is synced, too: whoever made it may have died before that. Level by level, for Node's own way of making all of them
 * tries for ever where a file system takes no folders, as `/proc` does.
 */
export async function makeDataFolder(path: string): Promise<void> {
  const isNew = await makeFolder(path);
  if (isNew) return syncFolder(dirname(path));
  // We have made nothing in a folder that we may not read, or that is of no medium.
  await syncFolder(dirname(path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EACCES" && error.code !== "EINVAL") throw error;
  });
}

/** Answers whether it was not there. */
async function makeFolder(path: string): Promise<boolean> {
  const make = () => mkdir(path, { mode: 0o700 });
  try {
    await make();
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const above = dirname(path);
    if (code === "ENOENT" && above !== path) {
      await makeDataFolder(above);
      await make();
      return true;
    }
    // Where it is there, it does not matter what else would stand in the way of making it.
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() !== true) throw error;
    return false;
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
