import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Does something to the one file of the store that holds these bytes. */
export async function damage(
  dataDir: string,
  needle: Uint8Array,
  harm: (path: string, at: number) => Promise<void>,
): Promise<void> {
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || path.startsWith(join(dataDir, "database"))) continue;
    const at = (await readFile(path)).indexOf(needle);
    if (at >= 0) return harm(path, at);
  }
  throw new Error("no file of the store holds these bytes");
}
