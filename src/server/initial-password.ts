import { randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { isPassword } from "../access/passwords.js";
import { Refusal } from "./refusal.js";
import { writeSecret } from "./secret-file.js";

const name = "initial-admin-password";

/** The first administrator's password where nobody chose one: in the data folder, readable by its owner alone. */
export interface InitialPassword {
  readonly path: string;
  /**
   * The password in the file; makes both where there is none. Whole and durable, or not there.
   */
  ensure(): Promise<string>;
  /** Removes the file; answers whether there was one. */
  remove(): Promise<boolean>;
}

export function createInitialPassword(dataDir: string): InitialPassword {
  const path = join(dataDir, name);
  return {
    path,
    async ensure() {
      const found = await readIfThere(path);
      if (found === undefined) return create(dataDir);
      if (isPassword(found)) return found;
      throw new Refusal(`${path} does not hold a password; remove it to get a new one`);
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

async function create(dataDir: string): Promise<string> {
  const password = randomBytes(24).toString("base64url");
  await writeSecret(dataDir, name, `${password}\n`);
  return password;
}
