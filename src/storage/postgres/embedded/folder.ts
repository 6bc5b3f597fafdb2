import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseRefusal } from "../refusal.js";
import { syncPath } from "./durable-fs.js";
import { entryUrl } from "./entry.js";

const name = "database";
/** Every PostgreSQL database has it. */
const mark = "PG_VERSION";
const unfinishedPrefix = `${name}.tmp-`;

/**
 * Returns the folder of the embedded database in `dataDir`, creating it if there is none, or an empty one, and if
 * `assertNew` does not throw. The name `database` is only ever given to a whole and synced database, so a start that was
 * killed leaves nothing but a folder that the next one removes. The caller must be the only process to use `dataDir`.
 */
export async function ensureDatabaseFolder(
  dataDir: string,
  onNotice: (line: string) => void,
  assertNew: () => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  const firstCreated = await mkdir(dataDir, { recursive: true });
  if (firstCreated !== undefined) syncPath(dirname(firstCreated));
  await removeUnfinished(dataDir);
  const folder = join(dataDir, name);
  const entries = await listEntries(folder);
  if (entries?.includes(mark)) return folder;
  if (entries !== undefined && entries.length > 0) {
    const why = `it holds other things, and no ${mark}: put the database back, or move them away`;
    throw new DatabaseRefusal(`${folder} is not the folder of a database, for ${why}`, { isUrl: false });
  }
  await assertNew();
  onNotice(`making the embedded database in ${folder}, which takes a few seconds and happens once`);
  const unfinished = join(dataDir, `${unfinishedPrefix}${randomBytes(6).toString("hex")}`);
  await createDatabase(unfinished);
  await rename(unfinished, folder).catch(async (cause: NodeJS.ErrnoException) => {
    await rm(unfinished, { recursive: true, force: true });
    if (entries === undefined) throw cause;
    // A mount point, or a link.
    const todo = "remove or unmount it, or put the database in it that belongs there";
    const options = { isUrl: false, cause };
    throw new DatabaseRefusal(`${folder} is empty and cannot be replaced (${cause.code}): ${todo}`, options);
  });
  syncPath(dataDir);
  return folder;
}

/** Undefined where there is no such folder. */
async function listEntries(folder: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code !== "ENOTDIR") throw error;
    throw new DatabaseRefusal(`${folder} must be a folder, that of the embedded database`, { isUrl: false });
  }
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
