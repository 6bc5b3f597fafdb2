import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseRefusal } from "../refusal.js";
import { syncPath } from "./durable-fs.js";
import { entryUrl } from "./entry.js";

const name = "database";
const unfinishedPrefix = `${name}.tmp-`;

/**
 * Returns the folder of the embedded database in `dataDir`, creating it if there is none. The name `database` is only
 * ever given to a whole and synced database, so a start that was killed leaves nothing but a folder that the next one
 * removes. The caller must be the only process to use `dataDir`.
 */
export async function ensureDatabaseFolder(dataDir: string, onNotice: (line: string) => void): Promise<string> {
  const firstCreated = await mkdir(dataDir, { recursive: true });
  if (firstCreated !== undefined) syncPath(dirname(firstCreated));
  await removeUnfinished(dataDir);
  const folder = join(dataDir, name);
  if (existsSync(folder)) return folder;
  onNotice(`making the embedded database in ${folder}, which takes a few seconds and happens once`);
  const unfinished = join(dataDir, `${unfinishedPrefix}${randomBytes(6).toString("hex")}`);
  await createDatabase(unfinished);
  await rename(unfinished, folder);
  syncPath(dataDir);
  return folder;
}

async function removeUnfinished(dataDir: string): Promise<void> {
  for (const entry of await readdir(dataDir)) {
    if (!entry.startsWith(unfinishedPrefix)) continue;
    // The child of a killed parent may write for some more seconds: what cannot go now goes at a later start.
    await rm(join(dataDir, entry), { recursive: true, force: true }).catch(() => undefined);
  }
}

function createDatabase(folder: string): Promise<void> {
  const start = `await import(${JSON.stringify(entryUrl("initdb").href)})`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", start, folder], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let complaint = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    complaint = `${complaint}${bytes.toString()}`.slice(-2000);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) return resolve();
      const why = complaint.trim() || `its making ended with ${signal ?? code}`;
      reject(new DatabaseRefusal(`the embedded database cannot be made in ${folder}: ${why}`, { isUrl: false }));
    });
  });
}
