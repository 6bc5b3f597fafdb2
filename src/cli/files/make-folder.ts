import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCodeOf } from "../shell/cli-error.js";

/**
 * Makes a folder and those that it lies in; those that are there stay as they are. It ends everywhere: Node's own way
 * of making all of them tries for ever where a file system takes no folders, as `/proc` and automounters do.
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  const missing = await findMissing(path, mode);
  if (missing === undefined) return;
  const above = dirname(path);
  if (above === path) throw missing;
  await makeFolder(above, mode);
  const stillMissing = await findMissing(path, mode);
  if (stillMissing !== undefined) throw stillMissing;
}

/** Makes the one folder; what the system said where the one above it is not there. */
async function findMissing(path: string, mode: number): Promise<Error | undefined> {
  try {
    await mkdir(path, { mode });
    return undefined;
  } catch (error) {
    if (error instanceof Error && systemCodeOf(error) === "ENOENT") return error;
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() !== true) throw error;
    return undefined;
  }
}
