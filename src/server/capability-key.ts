import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "./refusal.js";
import { writeSecret } from "./secret-file.js";

const name = "capability-key";
const keyBytes = 32;

/**
 * The key that capability URLs are signed with, made at the first start: in the data folder, readable by its owner
 * alone. Removing it and starting anew revokes every URL.
 */
export async function loadCapabilityKey(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, name);
  try {
    const key = await readFile(path);
    if (key.length !== keyBytes) throw new Refusal(`${path} does not hold a key; remove it to get a new one`);
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const key = randomBytes(keyBytes);
  await writeSecret(dataDir, name, key);
  return key;
}
