import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "./refusal.js";
import { writeSecret } from "./secret-file.js";

/** What there are keys for: capability URLs, and the tokens of the FOLIO face. */
export type KeyName = "capability-key" | "folio-token-key" | "vsphere-url-key";

const keyBytes = 32;

/**
 * The key that these things are signed with, made when it is first asked for: a file of this name in the data folder,
 * readable by its owner alone. Removing it and starting anew revokes whatever was signed with it.
 */
export async function loadKey(dataDir: string, name: KeyName): Promise<Uint8Array> {
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
