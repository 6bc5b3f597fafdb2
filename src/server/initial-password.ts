import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { isPassword } from "../access/passwords.js";

/** The first administrator's password where nobody chose one: in the data folder, readable by its owner alone. */
export interface InitialPassword {
  readonly path: string;
  /**
   * The password in the file; makes both where there is none. Whole and durable, or not there: it is written aside,
   * synced and renamed.
   */
  ensure(): Promise<string>;
  /** Removes the file; answers whether there was one. */
  remove(): Promise<boolean>;
}

export function createInitialPassword(dataDir: string): InitialPassword {
  const path = join(dataDir, "initial-admin-password");
  return {
    path,
    async ensure() {
      const found = await readIfThere(path);
      if (found === undefined) return create(dataDir, path);
      if (isPassword(found)) return found;
      throw new Error(`${path} does not hold a password; remove it to get a new one`);
    },
    async remove() {
      const found = await readIfThere(path);
      if (found === undefined) return false;
      await rm(path, { force: true });
      return true;
    },
  };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}

async function create(dataDir: string, path: string): Promise<string> {
  const password = randomBytes(24).toString("base64url");
  const aside = `${path}.new`;
  const file = await open(aside, "w", 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(`${password}\n`);
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
  return password;
}
