import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FolderInUse, lockFolder } from "../../src/server/folder-lock.js";
import { copyEmbeddedTemplate } from "../support/embedded-template.js";
import { spawnServer, startServer } from "../support/server.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";

let folder: string;
beforeEach(async () => {
  folder = await makeTempDir();
});
afterEach(() => removeTempDir(folder));

const ignore = () => undefined;

describe("a lock on a folder", () => {
  it("is had at once when nobody holds it, also on a folder that is not there yet", async () => {
    let waited = false;
    const lock = await lockFolder(join(folder, "a/b"), 0, () => {
      waited = true;
    });
    expect(waited).toBe(false);
    await lock.release();
  });

  it("that is held is refused after the time given, by an error that names the folder", async () => {
    const lock = await lockFolder(folder, 0, ignore);
    const since = performance.now();
    const refused = await lockFolder(folder, 350, ignore).catch((error: unknown) => error as Error);
    expect(refused).toBeInstanceOf(FolderInUse);
    expect(String(refused)).toContain(folder);
    expect(performance.now() - since).toBeGreaterThan(300);
    await lock.release();
  });

  it("passes to one who waits when it is released, and it is said once that somebody waits", async () => {
    const lock = await lockFolder(folder, 0, ignore);
    let told = 0;
    const next = lockFolder(folder, 10_000, () => {
      told += 1;
    });
    await expect.poll(() => told).toBe(1);
    await lock.release();
    await (await next).release();
    expect(told).toBe(1);
  });

  it("of many who ask at once is had by one at a time", async () => {
    let holders = 0;
    let most = 0;
    async function hold() {
      const lock = await lockFolder(folder, 20_000, ignore);
      most = Math.max(most, ++holders);
      await new Promise((resolve) => setTimeout(resolve, 20));
      holders -= 1;
      await lock.release();
    }
    await Promise.all(Array.from({ length: 5 }, hold));
    expect(most).toBe(1);
  });

  it("is one lock over two paths to the folder, and two over two folders", async () => {
    const link = join(folder, "link");
    await mkdir(join(folder, "real"));
    await mkdir(join(folder, "other"));
    await symlink("real", link);
    const lock = await lockFolder(join(folder, "real"), 0, ignore);
    await expect(lockFolder(link, 0, ignore)).rejects.toBeInstanceOf(FolderInUse);
    await expect(lockFolder(join(folder, "other/../real/."), 0, ignore)).rejects.toBeInstanceOf(FolderInUse);
    const other = await lockFolder(join(folder, "other"), 0, ignore);
    await lock.release();
    await other.release();
  });
});

describe("two servers on one folder", () => {
  it("the second waits, and takes over when the first stops", async () => {
    const dataDir = await copyEmbeddedTemplate();
    const first = await startServer({ dataDir });
    const second = spawnServer(["--listen", "127.0.0.1:0", "--data-dir", dataDir]);
    const waiting = "waiting for the server that holds the data folder";
    await expect.poll(() => second.stderr(), { timeout: 30_000 }).toContain(waiting);
    expect(second.stdout()).toBe("");
    expect(await first.stop()).toBe(0);
    await expect.poll(() => second.stdout(), { timeout: 30_000 }).toContain("listening on");
    await second.kill();
  });

  it("the second starts without waiting when the first was killed", async () => {
    const dataDir = await copyEmbeddedTemplate();
    const first = await startServer({ dataDir });
    await first.kill();
    const second = await startServer({ dataDir });
    expect(second.stderr()).not.toContain("waiting");
    await second.kill();
  });
});
