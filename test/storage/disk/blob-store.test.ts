import { chmod, mkdir, readdir, readlink, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { BlobKey } from "../../../src/core/index.js";
import { createDiskBlobStore } from "../../../src/storage/disk/blob-store.js";
import {
  describeBlobStore,
  expectBytes,
  expectUnavailable,
  listKeys,
  listTrash,
  makeBytes,
  putExtent,
  readAll,
} from "../../contract/blob-store.js";
import { makeTempDir, removeTempDir } from "../../support/temp-dir.js";
import { listFiles, openDiskStore, pathOf, spyOnFileHandles, systemError } from "./disk-store.js";

for (const durability of ["fsync", "os"] as const) {
  describeBlobStore(`the blob store on disk, durability ${durability}`, {
    async open() {
      const dataDir = await makeTempDir();
      const openStore = () => createDiskBlobStore({ dataDir, durability });
      const store = await openStore();
      let latest = store;
      return {
        store,
        async reopen() {
          await latest.close();
          latest = await openStore();
          return latest;
        },
        async dispose() {
          await latest.close();
          await removeTempDir(dataDir);
        },
      };
    },
  });
}

const hour = 3_600_000;
const hoursAgo = (hours: number) => new Date(Date.now() - hours * hour);

describe("the folder of a blob store on disk", () => {
  test("it is made with all its parents, for its owner alone", async () => {
    const parent = await makeTempDir();
    const dataDir = join(parent, "some", "where");
    const store = await createDiskBlobStore({ dataDir, durability: "fsync" });
    const key = await putExtent(store, makeBytes(10, 1));
    await store.close();
    expect((await stat(pathOf(dataDir, key))).mode & 0o077).toBe(0);
    expect((await stat(dataDir)).mode & 0o077).toBe(0);
    await removeTempDir(parent);
  });

  test("P8: files that are none of its own are neither listed nor touched", async () => {
    const { dataDir, store } = await openDiskStore();
    const strangers = ["extents/00/notes.txt", "packs/lost+found", "trash/00/readme", "trash/00/e-00.5"];
    for (const folder of ["extents/00", "trash/00"]) await mkdir(join(dataDir, folder), { recursive: true });
    for (const name of strangers) await writeFile(join(dataDir, name), "x");
    expect([...(await listKeys(store)), ...(await listTrash(store))]).toEqual([]);
    expect(await listFiles(dataDir)).toEqual(expect.arrayContaining(strangers));
  });

  test("P8: an extent's age is that of its last write", async () => {
    const { dataDir, store } = await openDiskStore();
    const [old, young] = [await putExtent(store, makeBytes(10, 2)), await putExtent(store, makeBytes(10, 3))];
    await utimes(pathOf(dataDir, old), hoursAgo(30), hoursAgo(30));
    expect(await listKeys(store, hoursAgo(24))).toEqual([old]);
    expect(await listKeys(store)).toContain(young);
  });

  test("P8: the age of trash is counted from when it came there, however old the bytes are", async () => {
    const { dataDir, reopen, store } = await openDiskStore();
    const keys = [await putExtent(store, makeBytes(10, 4)), await store.putSmall([makeBytes(10, 4)])];
    const again = await reopen();
    for (const key of keys) await utimes(pathOf(dataDir, key), hoursAgo(30), hoursAgo(30));
    await again.moveToTrash(keys);
    expect(await listTrash(again, hoursAgo(1))).toEqual([]);
    expect(await listTrash(again)).toHaveLength(2);
    await again.restoreFromTrash(keys);
    expect((await listKeys(again, hoursAgo(24))).toSorted()).toEqual(keys.toSorted());
  });

  test("P1: moving to the trash and back syncs the folders of both names", async () => {
    const { store } = await openDiskStore();
    const key = await putExtent(store, makeBytes(10, 5));
    const sync = await spyOnFileHandles("sync");
    await store.moveToTrash([key]);
    // One more for the folder in the trash, which is new.
    expect(sync).toHaveBeenCalledTimes(3);
    await store.restoreFromTrash([key]);
    expect(sync).toHaveBeenCalledTimes(5);
  });
});

describe("keys of a blob store on disk", () => {
  const id = "0123456789abcdef0123456789abcdef";
  test.each([
    "",
    id,
    "e:",
    `e:${id.toUpperCase()}`,
    `e:${id}0`,
    `e:${id}\n`,
    "e:../../../../../../etc/passwd",
    "e:00/../../../store-id",
    "e:..%2f..%2fstore-id",
    `p:${id}`,
    `p:${id}:0:0`,
    `p:${id}:0:131073`,
    `p:${id}:-1:5`,
    `p:${id}:01:5`,
    `p:${id}:1e3:5`,
    `p:${id}:9007199254740993:5`,
    "p:../store-id:0:5",
  ])("the malformed key %j is refused by name wherever it is used", async (text) => {
    const { dataDir, store } = await openDiskStore({ durability: "os" });
    const before = await listFiles(dataDir);
    const key = text as BlobKey;
    for (const deed of [
      () => readAll(store, key, 0, 1),
      () => store.moveToTrash([key]),
      () => store.restoreFromTrash([key]),
      () => store.deleteFromTrash([key]),
    ]) {
      expect((await expectUnavailable(deed())).message).toContain(JSON.stringify(text));
    }
    expect(await listFiles(dataDir)).toEqual(before);
  });
});

describe.skipIf(process.platform !== "linux")("open files of a blob store on disk", () => {
  async function openFilesBelow(folder: string): Promise<readonly string[]> {
    const links = await Promise.all(
      (await readdir("/proc/self/fd")).map((fd) => readlink(join("/proc/self/fd", fd)).catch(() => "")),
    );
    return links.filter((link) => link.startsWith(folder));
  }

  test("P10: a read that is left early, fails or is aborted keeps none", async () => {
    const { dataDir, store } = await openDiskStore();
    const key = await putExtent(store, makeBytes(3_000_000, 10));
    for await (const _ of store.read(key, 0, 3_000_000)) break;
    await expectUnavailable(readAll(store, key, 0, 3_000_001));
    const controller = new AbortController();
    const reading = store.read(key, 0, 3_000_000, controller.signal)[Symbol.asyncIterator]();
    await reading.next();
    controller.abort();
    await expect(reading.next()).rejects.toThrow();
    for await (const _ of store.listKeys({ writtenBefore: new Date(Date.now() + hour), batchSize: 1 })) break;
    expect(await openFilesBelow(dataDir)).toEqual([]);
  });

  test("P10: packs stay open for reading up to the limit, however many are read at once", async () => {
    const { dataDir, store } = await openDiskStore({ packBytes: 1, openPacks: 3 });
    const keys: BlobKey[] = [];
    for (let seed = 0; seed < 12; seed++) keys.push(await store.putSmall([makeBytes(10, seed)]));
    const all = await Promise.all([...keys, ...keys].map((key) => readAll(store, key, 0, 10)));
    for (const [index, bytes] of all.entries()) expectBytes(bytes, makeBytes(10, index % 12));
    // One more is the pack that is written.
    expect((await openFilesBelow(dataDir)).length).toBeLessThanOrEqual(4);
  });

  test("P10: a pack that is deleted is not kept open, and closing lets go of all", async () => {
    const { dataDir, reopen, store } = await openDiskStore();
    const key = await store.putSmall([makeBytes(10, 11)]);
    const again = await reopen();
    await readAll(again, key, 0, 10);
    expect(await openFilesBelow(dataDir)).toHaveLength(1);
    await again.moveToTrash([key]);
    expect(await openFilesBelow(dataDir)).toEqual([]);
    const other = await again.putSmall([makeBytes(10, 12)]);
    await readAll(again, other, 0, 10);
    await again.createExtent();
    const reading = again.read(await putExtent(again, makeBytes(3_000_000, 13)), 0, 3_000_000)[Symbol.asyncIterator]();
    await reading.next();
    expect(await openFilesBelow(dataDir)).toHaveLength(4);
    await again.close();
    expect(await openFilesBelow(dataDir)).toEqual([]);
  });
});

describe("the health of a blob store on disk", () => {
  test.each(["ENOSPC", "EROFS", "EIO", "EDQUOT"])(
    "a medium that answers %s to a write is unavailable",
    async (code) => {
      const { dataDir, store } = await openDiskStore();
      const write = await spyOnFileHandles("writeFile");
      const failure = systemError(code);
      write.mockRejectedValueOnce(failure);
      const error = await expectUnavailable(store.checkHealth());
      expect(error.message).toContain(code);
      expect(error.cause).toBe(failure);
      await store.checkHealth();
      expect(await listFiles(dataDir)).toEqual(["store-id"]);
    },
  );

  test("a folder that was taken away is unavailable", async () => {
    const { dataDir, store } = await openDiskStore();
    await rm(dataDir, { recursive: true });
    for (const deed of [
      () => store.checkHealth(),
      () => store.createExtent(),
      () => store.putSmall([makeBytes(1, 20)]),
    ]) {
      expect((await expectUnavailable(deed())).message).toContain("ENOENT");
    }
  });

  test.skipIf(process.getuid?.() === 0)("an extent that may not be opened is not reported as missing", async () => {
    const { dataDir, store } = await openDiskStore();
    const key = await putExtent(store, makeBytes(10, 21));
    await chmod(pathOf(dataDir, key), 0);
    const error = await expectUnavailable(readAll(store, key, 0, 10));
    expect(error.message).toContain("EACCES");
    expect(error.message).not.toContain("damaged");
  });
});
