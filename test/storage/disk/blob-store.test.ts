import { statSync } from "node:fs";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { BlobKey, BlobStore } from "../../../src/core/index.js";
import { createDiskBlobStore } from "../../../src/storage/disk/blob-store.js";
import {
  collect,
  describeBlobStore,
  expectBytes,
  expectDamage,
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
      await expectDamage(deed(), JSON.stringify(text));
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
    await expectDamage(readAll(store, key, 0, 3_000_001), key);
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

describe("what a check asks of a blob store on disk", () => {
  const listForeign = async (store: BlobStore) => {
    const paths: string[] = [];
    for await (const { path } of store.listForeign()) paths.push(path);
    return paths.sort();
  };

  test("foreign is what no store makes, in each of its folders, and nothing that it makes", async () => {
    const { dataDir, store, reopen } = await openDiskStore();
    const extent = await putExtent(store, makeBytes(10, 40));
    const small = await store.putSmall([makeBytes(10, 40)]);
    const again = await reopen();
    await again.moveToTrash([await putExtent(again, makeBytes(10, 41)), small]);
    expect(await listForeign(again)).toEqual([]);
    const id = extent.slice(2);
    const other = id.startsWith("0") ? "10" : "00";
    const foreign = [
      "extents/notes.txt",
      `extents/${id.slice(0, 2)}/notes.txt`,
      `extents/${other}/${id}`,
      `extents/${id.slice(0, 2)}/${id}.tmp`,
      "packs/notes.txt",
      "trash/notes.txt",
      `trash/00/e-${"0".repeat(32)}`,
      `trash/00/e-${"1".repeat(32)}.1`,
    ];
    for (const path of foreign) {
      await mkdir(dirname(join(dataDir, path)), { recursive: true });
      await writeFile(join(dataDir, path), "x");
    }
    await mkdir(join(dataDir, "packs", "0".repeat(32)));
    await writeFile(join(dataDir, "anything"), "outside of the store's folders");
    expect(await listForeign(again)).toEqual([...foreign, `packs/${"0".repeat(32)}`].sort());
  });

  test("a key of bytes that were cut tells how many of them there are", async () => {
    const { dataDir, store, reopen } = await openDiskStore();
    const keys = [await putExtent(store, makeBytes(1000, 42)), await store.putSmall([makeBytes(1000, 42)])];
    const again = await reopen();
    for (const key of keys) {
      const path = pathOf(dataDir, key);
      for (const left of [100, 0]) {
        await truncate(path, left + (key.startsWith("p:") ? 20 : 0));
        expect(await again.findBytes(key)).toEqual({ place: "stored", sizeBytes: left });
      }
      await rm(path);
      expect(await again.findBytes(key)).toBeUndefined();
    }
    expect(await again.findBytes("no key" as BlobKey)).toBeUndefined();
  });

  test("bytes behind a link are found as they are read, and a link that leads nowhere is foreign", async () => {
    const { dataDir, store } = await openDiskStore();
    const content = makeBytes(1000, 44);
    const key = await putExtent(store, content);
    const path = pathOf(dataDir, key);
    await rename(path, join(dataDir, "elsewhere"));
    await symlink(join(dataDir, "elsewhere"), path);
    expectBytes(await readAll(store, key, 0, 1000), content);
    expect(await store.findBytes(key)).toEqual({ place: "stored", sizeBytes: 1000 });
    expect((await collect(store.listStored({ batchSize: 10 }))).flat()).toMatchObject([{ key, unitBytes: 1000 }]);
    expect(await listForeign(store)).toEqual([]);
    await rm(join(dataDir, "elsewhere"));
    expect(await store.findBytes(key)).toBeUndefined();
    expect(await listForeign(store)).toEqual([path.slice(dataDir.length + 1)]);
  });

  test("a pack in which nothing can be read is a unit without keys, and one that grows is as young as can be", async () => {
    const { dataDir, store } = await openDiskStore();
    const key = await store.putSmall([makeBytes(10, 43)]);
    const torn = "0".repeat(32);
    await writeFile(join(dataDir, "packs", torn), "torn");
    const long = new Date(Date.now() - 48 * hour);
    for (const path of [pathOf(dataDir, key), join(dataDir, "packs", torn)]) await utimes(path, long, long);
    const pieces = (await collect(store.listStored({ batchSize: 10 }))).flat();
    expect(pieces).toHaveLength(2);
    expect(pieces).toContainEqual({ unit: `p:${torn}`, key: undefined, unitBytes: 4, writtenAt: long });
    const growing = pieces.find((piece) => piece.key === key);
    expect(Date.now() - (growing?.writtenAt.getTime() ?? 0)).toBeLessThan(hour);
    expect(await listFiles(dataDir)).toContain(`packs/${torn}`);
  });
});

const deviceOf = (path: string) => statSync(path).dev;

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

  test.each(["store-id", "extents", "packs"])(
    "a store whose %s is away is unavailable, and not damaged",
    async (name) => {
      const { dataDir, store, reopen } = await openDiskStore();
      const keys = [await putExtent(store, makeBytes(10, 22)), await store.putSmall([makeBytes(10, 22)])];
      const again = await reopen();
      for (const folder of ["extents", "packs"]) await rm(join(dataDir, folder), { recursive: true });
      for (const folder of ["extents", "packs"]) if (folder !== name) await mkdir(join(dataDir, folder));
      if (name === "store-id") await rm(join(dataDir, name));
      else if (name === "packs") await mkdir(join(dataDir, "extents", "00"));
      const away = keys.filter((key) => name === "store-id" || (name === "extents") === key.startsWith("e:"));
      for (const key of away) {
        await expectUnavailable(readAll(again, key, 0, 10));
        await expectUnavailable(again.findBytes(key));
      }
      for (const key of keys.filter((each) => !away.includes(each))) {
        await expectDamage(readAll(again, key, 0, 10), key);
        expect(await again.findBytes(key)).toBeUndefined();
      }
    },
  );

  test.skipIf(deviceOf("/dev/shm") === deviceOf(tmpdir())).each(["extents", "packs", "trash"])(
    "a store whose %s is an empty place on another device, as before a disk is mounted, is unavailable",
    async (name) => {
      const elsewhere = await mkdtemp("/dev/shm/slipway-test-");
      onTestFinished(() => removeTempDir(elsewhere));
      const { dataDir, store, reopen } = await openDiskStore();
      const keys = [await putExtent(store, makeBytes(10, 23)), await store.putSmall([makeBytes(10, 23)])];
      const again = await reopen();
      await mkdir(join(elsewhere, "00"));
      for (const key of keys) await rm(pathOf(dataDir, key));
      await rename(join(dataDir, name), join(dataDir, "away"));
      await symlink(elsewhere, join(dataDir, name));
      for (const key of keys.filter((key) => name === "trash" || (name === "extents") === key.startsWith("e:"))) {
        await expectUnavailable(readAll(again, key, 0, 10));
        await expectUnavailable(again.findBytes(key));
      }
    },
  );

  test("an extent that is missing in an empty folder of extents is not reported as missing", async () => {
    const { dataDir, store } = await openDiskStore();
    const key = await putExtent(store, makeBytes(10, 24));
    await rm(join(dataDir, "extents"), { recursive: true });
    await mkdir(join(dataDir, "extents"));
    await expectUnavailable(readAll(store, key, 0, 10));
    await expectUnavailable(store.findBytes(key));
  });

  test("a pack that is missing in a folder of packs that was empty at the start is not reported as missing", async () => {
    const { dataDir, store, reopen } = await openDiskStore();
    const key = await store.putSmall([makeBytes(10, 26)]);
    await rename(join(dataDir, "packs"), join(dataDir, "away"));
    const again = await reopen();
    // What comes meanwhile lies in the wrong place, and does not make the other one lost.
    await again.putSmall([makeBytes(10, 27)]);
    await expectUnavailable(readAll(again, key, 0, 10));
    await expectUnavailable(again.findBytes(key));
    await rename(join(dataDir, "packs"), join(dataDir, "wrong"));
    await rename(join(dataDir, "away"), join(dataDir, "packs"));
    expectBytes(await readAll(await reopen(), key, 0, 10), makeBytes(10, 26));
  });

  test("a link that leads nowhere in the place of a folder is unavailable", async () => {
    const { dataDir, store } = await openDiskStore();
    const key = await putExtent(store, makeBytes(10, 25));
    await rm(join(dataDir, "extents"), { recursive: true });
    await symlink(join(dataDir, "nowhere"), join(dataDir, "extents"));
    await expectUnavailable(readAll(store, key, 0, 10));
    await expectUnavailable(store.findBytes(key));
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
