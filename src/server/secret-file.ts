import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder } from "./data-folder.js";

/**
 * Writes a file of the data folder that its owner alone may read. Whole and durable, or not there: it
 * is written aside, synced and renamed, and the folder is synced, too.
 */
export async function writeSecret(dataDir: string, name: string, content: string | Uint8Array): Promise<void> {
  const path = join(dataDir, name);
  const aside = `${path}.new`;
  const file = await open(aside, "w", 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(content);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
  await syncFolder(dataDir);
}
