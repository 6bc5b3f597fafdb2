import { randomBytes } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

const fileName = "admin-token";

/** Where the token that may do everything lies: in the data folder, readable by its owner alone. */
export function adminTokenPath(dataDir: string): string {
  return join(dataDir, fileName);
}

/**
 * Makes the token at the first start; answers it, and whether it is new. Whole or not there: it is written aside,
 * synced and renamed.
 */
export async function loadAdminToken(dataDir: string): Promise<{ readonly token: string; readonly created: boolean }> {
  const path = adminTokenPath(dataDir);
  try {
    const token = (await readFile(path, "utf8")).trim();
    if (!/^[A-Za-z0-9_-]{43}$/.test(token))
      throw new Error(`${path} does not hold a token; remove it to get a new one`);
    return { token, created: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const token = randomBytes(32).toString("base64url");
  const aside = `${path}.new`;
  const file = await open(aside, "w", 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(`${token}\n`);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
  return { token, created: true };
}
