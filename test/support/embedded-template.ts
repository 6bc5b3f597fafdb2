import { constants, existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inject } from "vitest";
import { ensureDatabaseFolder } from "../../src/storage/postgres/embedded/folder.js";

const waitMs = 60_000;

/** A fresh data folder with an embedded database in it, which opens in a fraction of a second. Gone after the run. */
export async function copyEmbeddedTemplate(): Promise<string> {
  const template = join(inject("runFolder"), "template");
  await buildOnce(template);
  const dataDir = await mkdtemp(join(inject("runFolder"), "data-"));
  const mode = constants.COPYFILE_FICLONE;
  await cp(join(template, "database"), join(dataDir, "database"), { recursive: true, mode });
  return dataDir;
}

/** Creating a database takes seconds: whoever makes the folder does it for all test files, the others wait. */
async function buildOnce(template: string): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (!existsSync(join(template, "database"))) {
    if (await makesFolder(template)) {
      try {
        return void (await ensureDatabaseFolder(template, () => undefined));
      } catch (error) {
        await rm(template, { recursive: true, force: true });
        throw error;
      }
    }
    if (performance.now() > deadline) throw new Error("the embedded database that tests copy was not created in time");
    await sleep(50);
  }
}

async function makesFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
