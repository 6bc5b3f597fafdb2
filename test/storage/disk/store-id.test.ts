import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createDiskBlobStore } from "../../../src/storage/disk/blob-store.js";
import { createSync } from "../../../src/storage/disk/durability.js";
import { loadStoreId } from "../../../src/storage/disk/store-id.js";
import { expectUnavailable } from "../../contract/blob-store.js";
import { makeTempDir, removeTempDir } from "../../support/temp-dir.js";
import { listFiles, spyOnFileHandles, systemError } from "./disk-store.js";

const sync = createSync("fsync");

async function openTempDir(): Promise<string> {
  const path = await makeTempDir();
  onTestFinished(() => removeTempDir(path));
  return path;
}

describe("the store id", () => {
  test("P8: starters that race all answer with the one id that was written", async () => {
    for (let round = 0; round < 20; round++) {
      const dataDir = await openTempDir();
      const ids = await Promise.all(Array.from({ length: 8 }, () => loadStoreId(dataDir, sync)));
      expect(new Set(ids).size).toBe(1);
      expect(await readFile(join(dataDir, "store-id"), "utf8")).toBe(`${ids[0]}\n`);
      expect(await listFiles(dataDir)).toEqual(["store-id"]);
    }
  });

  test("P1: its bytes and its name are durable before it is answered", async () => {
    const dataDir = await openTempDir();
    const [datasync, folderSync] = [await spyOnFileHandles("datasync"), await spyOnFileHandles("sync")];
    await loadStoreId(dataDir, sync);
    expect([datasync.mock.calls.length, folderSync.mock.calls.length]).toEqual([1, 1]);
    await loadStoreId(dataDir, sync);
    expect([datasync.mock.calls.length, folderSync.mock.calls.length]).toEqual([1, 2]);
  });

  test("P8: a start that fails before the id is durable leaves none behind", async () => {
    const dataDir = await openTempDir();
    const datasync = await spyOnFileHandles("datasync");
    datasync.mockRejectedValueOnce(systemError("ENOSPC"));
    await expectUnavailable(createDiskBlobStore({ dataDir, durability: "fsync" }));
    expect(await listFiles(dataDir)).not.toContain("store-id");
    const id = await loadStoreId(dataDir, sync);
    expect(await listFiles(dataDir)).toEqual(["store-id"]);
    expect(await loadStoreId(dataDir, sync)).toBe(id);
  });

  test.each(["", "not a uuid", "0123"])("a file that holds %j is refused by name, not replaced", async (text) => {
    const dataDir = await openTempDir();
    await writeFile(join(dataDir, "store-id"), text);
    const error = await expectUnavailable(createDiskBlobStore({ dataDir, durability: "fsync" }));
    expect(error.message).toContain(join(dataDir, "store-id"));
    expect(await readFile(join(dataDir, "store-id"), "utf8")).toBe(text);
  });
});
