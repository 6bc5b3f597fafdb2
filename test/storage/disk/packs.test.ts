import { appendFile, copyFile, readdir, readFile, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type BlobKey, type BlobStore, smallContentBytes } from "../../../src/core/index.js";
import {
  expectBytes,
  expectDamage,
  expectUnavailable,
  listKeys,
  listTrash,
  makeBytes,
  readAll,
} from "../../contract/blob-store.js";
import { flipBit, listFiles, openDiskStore, pathOf, recordOf, spyOnFileHandles, systemError } from "./disk-store.js";

const headerBytes = 20;
const yesterday = () => new Date(Date.now() - 25 * 3_600_000);

/** Three small contents of 400 bytes in one pack, with the seeds 0, 1 and 2. */
async function putThree(store: BlobStore): Promise<readonly [BlobKey, BlobKey, BlobKey]> {
  const keys = await Promise.all([0, 1, 2].map((seed) => store.putSmall([makeBytes(400, seed)])));
  return keys as [BlobKey, BlobKey, BlobKey];
}

describe("group commit", () => {
  test("200 calls at the same time share one fdatasync", async () => {
    const { dataDir, store } = await openDiskStore();
    const datasync = await spyOnFileHandles("datasync");
    await Promise.all(Array.from({ length: 200 }, (_, seed) => store.putSmall([makeBytes(4096, seed)])));
    expect(datasync).toHaveBeenCalledTimes(1);
    expect(await readdir(join(dataDir, "packs"))).toHaveLength(1);
  });

  test("calls that come one after the other in one turn of the event loop share one fdatasync", async () => {
    const { store } = await openDiskStore();
    const datasync = await spyOnFileHandles("datasync");
    const first = store.putSmall([makeBytes(10, 0)]);
    for (let tick = 0; tick < 20; tick++) await Promise.resolve();
    await Promise.all([first, store.putSmall([makeBytes(10, 1)])]);
    expect(datasync).toHaveBeenCalledTimes(1);
  });

  test("P1: a call resolves after the fdatasync that covers it, one that came later after the next", async () => {
    const { store } = await openDiskStore();
    await store.putSmall([makeBytes(10, 0)]);
    const datasync = await spyOnFileHandles("datasync");
    const log: string[] = [];
    let finish = () => {};
    datasync.mockImplementationOnce(
      () =>
        new Promise((resolve) => {
          finish = () => {
            log.push("synced");
            resolve(undefined);
          };
        }),
    );
    const first = store.putSmall([makeBytes(10, 1)]).then(() => log.push("first"));
    while (datasync.mock.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const second = store.putSmall([makeBytes(10, 2)]).then(() => log.push("second"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(log).toEqual([]);
    finish();
    await Promise.all([first, second]);
    expect(log).toEqual(["synced", "first", "second"]);
    expect(datasync).toHaveBeenCalledTimes(2);
  });

  test("P1: a pack's name is synced before its first record is reported stored", async () => {
    const { store } = await openDiskStore();
    const sync = await spyOnFileHandles("sync");
    await store.putSmall([makeBytes(10, 3)]);
    await store.putSmall([makeBytes(10, 3)]);
    expect(sync).toHaveBeenCalledTimes(1);
  });

  test("P10: a round is bounded; the rest waits for the next", async () => {
    const { store } = await openDiskStore();
    const datasync = await spyOnFileHandles("datasync");
    const content = makeBytes(smallContentBytes, 4);
    const keys = await Promise.all(Array.from({ length: 96 }, () => store.putSmall([content])));
    expect(datasync.mock.calls.length).toBeGreaterThanOrEqual(3);
    expect(new Set(keys).size).toBe(96);
  });

  test("packs are rolled at their size and never grow beyond it", async () => {
    const packBytes = 10_000;
    const { dataDir, store } = await openDiskStore({ packBytes });
    const keys = await Promise.all(Array.from({ length: 60 }, (_, seed) => store.putSmall([makeBytes(980, seed)])));
    const names = await readdir(join(dataDir, "packs"));
    expect(names).toHaveLength(6);
    for (const name of names) expect((await stat(join(dataDir, "packs", name))).size).toBe(packBytes);
    for (const [seed, key] of keys.entries()) expectBytes(await readAll(store, key, 0, 980), makeBytes(980, seed));
  });

  test("a record larger than a pack gets a pack of its own", async () => {
    const { dataDir, store } = await openDiskStore({ packBytes: 100 });
    for (const seed of [5, 6]) {
      const key = await store.putSmall([makeBytes(500, seed)]);
      expectBytes(await readAll(store, key, 0, 500), makeBytes(500, seed));
    }
    expect(await readdir(join(dataDir, "packs"))).toHaveLength(2);
  });

  test.each(["datasync", "writev"] as const)(
    "P1: a failed %s rejects its round, abandons the pack and leaves what was stored",
    async (method) => {
      const { dataDir, store } = await openDiskStore();
      const before = await store.putSmall([makeBytes(400, 7)]);
      const spy = await spyOnFileHandles(method);
      const failure = systemError("ENOSPC");
      spy.mockRejectedValueOnce(failure);
      const failed = await Promise.all([8, 9].map((seed) => expectUnavailable(store.putSmall([makeBytes(400, seed)]))));
      for (const error of failed) expect(error.cause).toBe(failure);
      const abandoned = await readFile(pathOf(dataDir, before));
      const after = await store.putSmall([makeBytes(400, 10)]);
      expect(pathOf(dataDir, after)).not.toBe(pathOf(dataDir, before));
      expect(await readFile(pathOf(dataDir, before))).toEqual(abandoned);
      expect(spy).toHaveBeenCalledTimes(2);
      expectBytes(await readAll(store, before, 0, 400), makeBytes(400, 7));
      expectBytes(await readAll(store, after, 0, 400), makeBytes(400, 10));
    },
  );

  test("P1: a pack whose name could not be synced takes no record", async () => {
    const { store } = await openDiskStore();
    const [sync, datasync] = [await spyOnFileHandles("sync"), await spyOnFileHandles("datasync")];
    sync.mockRejectedValueOnce(systemError("EIO"));
    await expectUnavailable(store.putSmall([makeBytes(400, 11)]));
    expect(datasync).not.toHaveBeenCalled();
    const key = await store.putSmall([makeBytes(400, 12)]);
    expectBytes(await readAll(store, key, 0, 400), makeBytes(400, 12));
  });
});

describe("a pack that was damaged", () => {
  test("P8: a torn tail ends the listing, and a new process never appends behind it", async () => {
    const { dataDir, reopen, store } = await openDiskStore();
    const [one, two, torn] = await putThree(store);
    await store.close();
    const { path, offset } = recordOf(dataDir, torn);
    await truncate(path, offset + headerBytes - 3);
    const again = await reopen();
    expect((await listKeys(again)).toSorted()).toEqual([one, two].toSorted());
    const fresh = await again.putSmall([makeBytes(400, 3)]);
    expect(pathOf(dataDir, fresh)).not.toBe(path);
    expect((await stat(path)).size).toBe(offset + headerBytes - 3);
    expectBytes(await readAll(again, two, 0, 400), makeBytes(400, 1));
    await expectDamage(readAll(again, torn, 0, 400), torn);
  });

  test("P8: a tail of zeros does not keep a pack from the trash", async () => {
    const { dataDir, reopen, store } = await openDiskStore();
    const keys = await putThree(store);
    await store.close();
    await appendFile(pathOf(dataDir, keys[0]), new Uint8Array(200_000));
    const again = await reopen();
    expect((await listKeys(again)).toSorted()).toEqual(keys.toSorted());
    await again.moveToTrash(keys);
    expect((await listTrash(again)).toSorted()).toEqual(keys.toSorted());
    await again.deleteFromTrash(keys);
    expect(await listFiles(dataDir)).toEqual(["store-id"]);
  });

  test("a record whose payload was cut is damage", async () => {
    const { dataDir, store } = await openDiskStore();
    const [, , last] = await putThree(store);
    const { path, offset } = recordOf(dataDir, last);
    await truncate(path, offset + headerBytes + 399);
    await expectDamage(readAll(store, last, 0, 10), last);
  });

  test("a flipped bit anywhere in a record is damage, whichever bytes are asked for; its neighbours are sound", async () => {
    const { dataDir, store } = await openDiskStore();
    const [one, two, three] = await putThree(store);
    const { path, offset } = recordOf(dataDir, two);
    for (let at = 0; at < headerBytes + 400; at += at < headerBytes ? 1 : 57) {
      await flipBit(path, offset + at);
      await expectDamage(readAll(store, two, 399, 1), two);
      expectBytes(await readAll(store, one, 0, 400), makeBytes(400, 0));
      expectBytes(await readAll(store, three, 0, 400), makeBytes(400, 2));
      await flipBit(path, offset + at);
    }
    expectBytes(await readAll(store, two, 0, 400), makeBytes(400, 1));
  });

  test("a key that names another length, or a place where no record begins, is damage", async () => {
    const { store } = await openDiskStore();
    const [one, two] = await putThree(store);
    for (const key of [one.replace(":400", ":399"), one.replace(":0:", ":1:"), two.replace(":420:", ":421:")]) {
      await expectDamage(readAll(store, key as BlobKey, 0, 1), key as BlobKey);
    }
  });

  test("P8: records behind a broken header are listed, and the pack stays while one of them is not noted", async () => {
    const { dataDir, reopen, store } = await openDiskStore();
    const [broken, two, three] = await putThree(store);
    await flipBit(pathOf(dataDir, broken), 2);
    const again = await reopen();
    expect((await listKeys(again)).toSorted()).toEqual([two, three].toSorted());
    await again.moveToTrash([two]);
    expectBytes(await readAll(again, three, 0, 400), makeBytes(400, 2));
    await again.moveToTrash([three]);
    expect((await listTrash(again)).toSorted()).toEqual([two, three].toSorted());
  });

  test("P8: a broken header far from the next one is passed over too", async () => {
    const { dataDir, reopen, store } = await openDiskStore();
    const broken = await store.putSmall([makeBytes(smallContentBytes, 20)]);
    const sound = await store.putSmall([makeBytes(smallContentBytes, 21)]);
    await flipBit(pathOf(dataDir, broken), 9);
    expect(await listKeys(await reopen())).toEqual([sound]);
  });

  test("P8: a record is found wherever it stands behind a broken one", async () => {
    const { dataDir, reopen, store } = await openDiskStore({ durability: "os" });
    const broken: BlobKey[] = [];
    const sound: BlobKey[] = [];
    // The reader takes 64 KiB at a time: the headers of the sound ones stand at every place around the end of that.
    for (let size = 65_536 - 2 * headerBytes - 2; size <= 65_536 - headerBytes + 2; size++) {
      broken.push(await store.putSmall([makeBytes(size, 22)]));
      sound.push(await store.putSmall([makeBytes(10, 23)]));
      await listKeys(store);
    }
    for (const key of broken) await flipBit(pathOf(dataDir, key), 2);
    expect((await listKeys(await reopen())).toSorted()).toEqual(sound.toSorted());
  });

  test("P8: content that contains a pack is never taken for records of another", async () => {
    const { dataDir, reopen, store } = await openDiskStore();
    const [original] = await putThree(store);
    const image = await readFile(pathOf(dataDir, original));
    const again = await reopen();
    const holder = await again.putSmall([image]);
    await flipBit(pathOf(dataDir, holder), 2);
    const third = await reopen();
    expect((await listKeys(third)).every((key) => key.includes(original.split(":")[1]!))).toBe(true);
  });

  test("a pack under another pack's name has no records", async () => {
    const { dataDir, reopen, store } = await openDiskStore();
    const keys = await putThree(store);
    await store.close();
    await copyFile(pathOf(dataDir, keys[0]), join(dataDir, "packs", "f".repeat(32)));
    expect((await listKeys(await reopen())).toSorted()).toEqual(keys.toSorted());
  });
});

describe("a pack without records", () => {
  test.each([
    ["an empty", new Uint8Array(0)],
    ["a torn", makeBytes(300, 30)],
  ])(
    "P8: %s pack of a former process goes to the trash by a listing, and from there when its time is up",
    async (_, content) => {
      const { dataDir, store } = await openDiskStore();
      const path = join(dataDir, "packs", "a".repeat(32));
      await writeFile(path, content);
      expect(await listKeys(store, yesterday())).toEqual([]);
      expect(await readdir(join(dataDir, "packs"))).toHaveLength(1);
      await utimes(path, yesterday(), new Date(yesterday().getTime() - 1000));
      await listKeys(store, yesterday());
      expect(await readdir(join(dataDir, "packs"))).toEqual([]);
      await listTrash(store, yesterday());
      expect(await listFiles(join(dataDir, "trash"))).toHaveLength(1);
      expect(await listTrash(store)).toEqual([]);
      expect(await listFiles(join(dataDir, "trash"))).toEqual([]);
    },
  );

  test("P8: a pack that is being begun is not taken for one that was left behind", async () => {
    const { store } = await openDiskStore();
    const sync = await spyOnFileHandles("sync");
    let release = () => {};
    sync.mockImplementationOnce(
      () =>
        new Promise((resolve) => {
          release = () => resolve(undefined);
        }),
    );
    const putting = store.putSmall([makeBytes(400, 31)]);
    while (sync.mock.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const listing = listKeys(store);
    await new Promise((resolve) => setTimeout(resolve, 20));
    release();
    const key = await putting;
    expect(await listing).toEqual([key]);
    expectBytes(await readAll(store, key, 0, 400), makeBytes(400, 31));
  });
});
