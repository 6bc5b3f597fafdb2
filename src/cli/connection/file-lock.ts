// A file that is there while somebody changes another one. Node has no locks of the system.
import { randomBytes } from "node:crypto";
import { open, readFile, rm, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError, systemCodeOf } from "../shell/cli-error.js";

/** The work under a lock takes milliseconds: one that is this old was left behind by a process that was killed. */
const staleAfterMs = 5000;
const waitMs = 15_000;

/** Does the work while no other process does any under a lock of that path. */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const mark = randomBytes(12).toString("hex");
  const giveUpAt = performance.now() + waitMs;
  while (!(await create(path, mark))) {
    if (performance.now() > giveUpAt) {
      throw new CliError(`${path} is in the way: another slipway changes the logins; remove it if none does`);
    }
    await removeStale(path);
    await sleep(5 + Math.random() * 20);
  }
  try {
    return await work();
  } finally {
    if ((await findMark(path)) === mark) await rm(path, { force: true });
  }
}

async function create(path: string, mark: string): Promise<boolean> {
  try {
    const handle = await open(path, "wx", 0o600);
    try {
      await handle.writeFile(mark);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** One at a time, or the second would remove the lock of whoever came after the first. */
async function removeStale(path: string): Promise<void> {
  if (!(await isStale(path))) return;
  const turn = `${path}.stale`;
  if (!(await create(turn, ""))) return;
  try {
    if (await isStale(path)) await rm(path, { force: true });
  } finally {
    await rm(turn, { force: true });
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > staleAfterMs;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return false;
    throw error;
  }
}

async function findMark(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
