import { randomBytes } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

const keyBytes = 32;

/**
 * The key that capability URLs are signed with, made at the first start: in the data folder, readable by its owner
 * alone. Removing it and starting anew revokes every URL. Whole or not there: it is written aside, synced and renamed.
 */
export async function loadCapabilityKey(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, "capability-key");
  try {
    const key = await readFile(path);
    if (key.length !== keyBytes) throw new Error(`${path} does not hold a key; remove it to get a new one`);
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const key = randomBytes(keyBytes);
  const aside = `${path}.new`;
  const file = await open(aside, "w", 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(key);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
  const folder = await open(dataDir);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return key;
}
