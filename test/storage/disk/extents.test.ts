import { type FileHandle, readdir, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  expectBytes,
  expectDamage,
  expectUnavailable,
  makeBytes,
  putExtent,
  readAll,
} from "../../contract/blob-store.js";
import { openDiskStore, pathOf, spyOnFileHandles, systemError } from "./disk-store.js";

describe("an extent on disk", () => {
  test("one that was truncated is damage, found before its first byte is handed out", async () => {
    const { dataDir, store } = await openDiskStore();
    const key = await putExtent(store, makeBytes(3_000_000, 1));
    await truncate(pathOf(dataDir, key), 2_999_999);
    let chunks = 0;
    const reading = (async () => {
      for await (const _ of store.read(key, 0, 3_000_000)) chunks++;
    })();
    await expectDamage(reading, key);
    expect(chunks).toBe(0);
    expectBytes(await readAll(store, key, 0, 2_999_999), makeBytes(3_000_000, 1).subarray(0, 2_999_999));
  });

  test("one that is truncated while it is read ends in damage, not in silence", async () => {
    const { dataDir, store } = await openDiskStore();
    const key = await putExtent(store, makeBytes(3_000_000, 2));
    const reading = store.read(key, 0, 3_000_000)[Symbol.asyncIterator]();
    await reading.next();
    await truncate(pathOf(dataDir, key), 1024 * 1024);
    await expectDamage(reading.next(), key);
  });

  test("writes of which the system takes only a part are carried on", async () => {
    const { store } = await openDiskStore();
    const writev = await spyOnFileHandles("writev");
    const extent = await store.createExtent();
    const content = makeBytes(100_000, 3);
    writev.mockImplementation(async function (this: FileHandle, buffers, position) {
      const [first] = buffers as readonly [Uint8Array];
      const { bytesWritten } = await this.write(first, 0, Math.min(first.byteLength, 7001), position as number);
      return { bytesWritten, buffers };
    });
    await extent.write([content.subarray(0, 30_000), content.subarray(30_000, 30_001), content.subarray(30_001)]);
    await extent.sync();
    await extent.close();
    expect(writev.mock.calls.length).toBeGreaterThan(10);
    expectBytes(await readAll(store, extent.key, 0, 100_000), content);
  });

  test("no more buffers are handed to the system at once than it takes", async () => {
    const { store } = await openDiskStore();
    const writev = await spyOnFileHandles("writev");
    const extent = await store.createExtent();
    await extent.write(Array.from({ length: 2500 }, () => new Uint8Array(1)));
    await extent.close();
    expect(writev.mock.calls.map(([buffers]) => (buffers as readonly Uint8Array[]).length)).toEqual([1024, 1024, 452]);
  });

  test("a write that makes no progress fails instead of turning for ever", async () => {
    const { store } = await openDiskStore();
    const writev = await spyOnFileHandles("writev");
    writev.mockResolvedValue({ bytesWritten: 0, buffers: [] });
    const extent = await store.createExtent();
    await expectUnavailable(extent.write([makeBytes(10, 4)]));
    await extent.close();
  });

  test("P1: the first sync makes the bytes and the name durable, later ones the bytes", async () => {
    const { store } = await openDiskStore();
    const extent = await store.createExtent();
    const [datasync, sync] = [await spyOnFileHandles("datasync"), await spyOnFileHandles("sync")];
    await extent.write([makeBytes(10, 5)]);
    await extent.sync();
    expect([datasync.mock.calls.length, sync.mock.calls.length]).toEqual([1, 1]);
    await extent.write([makeBytes(10, 5)]);
    await extent.sync();
    expect([datasync.mock.calls.length, sync.mock.calls.length]).toEqual([2, 1]);
    await extent.close();
  });

  test("P1: the folder of its name is durable before its writer is handed out, or none is", async () => {
    const { dataDir, store } = await openDiskStore();
    const sync = await spyOnFileHandles("sync");
    sync.mockRejectedValueOnce(systemError("EIO"));
    await expectUnavailable(store.createExtent());
    expect(await readdir(join(dataDir, "extents"))).toEqual([]);
    await (await store.createExtent()).close();
    expect(sync).toHaveBeenCalledTimes(2);
  });

  test("P1: bytes written while a sync was under way are not taken for synced", async () => {
    const { store } = await openDiskStore();
    const datasync = await spyOnFileHandles("datasync");
    const extent = await store.createExtent();
    await extent.write([makeBytes(10, 6)]);
    const syncing = extent.sync();
    await extent.write([makeBytes(10, 6)]);
    await syncing;
    await extent.sync();
    expect(datasync).toHaveBeenCalledTimes(2);
    await extent.close();
  });

  test("closing the store waits for a sync that is under way", async () => {
    const { store } = await openDiskStore();
    const datasync = await spyOnFileHandles("datasync");
    const extent = await store.createExtent();
    let release = () => {};
    datasync.mockImplementationOnce(
      () =>
        new Promise((resolve) => {
          release = () => resolve(undefined);
        }),
    );
    const log: string[] = [];
    const syncing = extent.sync().then(() => log.push("synced"));
    const closing = store.close().then(() => log.push("closed"));
    await new Promise((resolve) => setTimeout(resolve, 30));
    release();
    await Promise.all([syncing, closing]);
    expect(log).toEqual(["synced", "closed"]);
  });

  test("durability os syncs nothing", async () => {
    const [datasync, sync] = [await spyOnFileHandles("datasync"), await spyOnFileHandles("sync")];
    const { store } = await openDiskStore({ durability: "os" });
    const key = await putExtent(store, makeBytes(10, 7));
    await store.putSmall([makeBytes(10, 7)]);
    await store.moveToTrash([key]);
    expect([datasync.mock.calls.length, sync.mock.calls.length]).toEqual([0, 0]);
  });

  test("P1: one whose fdatasync failed is abandoned, and fdatasync is not called on it again", async () => {
    const { store } = await openDiskStore();
    const datasync = await spyOnFileHandles("datasync");
    const extent = await store.createExtent();
    await extent.write([makeBytes(10, 8)]);
    const failure = systemError("EIO");
    datasync.mockRejectedValueOnce(failure);
    expect((await expectUnavailable(extent.sync())).cause).toBe(failure);
    for (const deed of [() => extent.sync(), () => extent.write([makeBytes(10, 8)]), () => extent.sync()]) {
      const error = await expectUnavailable(deed());
      expect(error.message).toContain(extent.key);
      expect(error.cause).toBe(failure);
    }
    expect(datasync).toHaveBeenCalledTimes(1);
    await extent.close();
    await putExtent(store, makeBytes(10, 8));
  });

  test("P1: one whose name could not be synced is abandoned", async () => {
    const { store } = await openDiskStore();
    const extent = await store.createExtent();
    const sync = await spyOnFileHandles("sync");
    await extent.write([makeBytes(10, 9)]);
    sync.mockRejectedValueOnce(systemError("EIO"));
    await expectUnavailable(extent.sync());
    await expectUnavailable(extent.sync());
    expect(sync).toHaveBeenCalledTimes(1);
    await extent.close();
  });

  test("P1: one whose write found no space is abandoned, and what was synced before stays", async () => {
    const { store } = await openDiskStore();
    const [writev, datasync] = [await spyOnFileHandles("writev"), await spyOnFileHandles("datasync")];
    const extent = await store.createExtent();
    await extent.write([makeBytes(10, 10)]);
    await extent.sync();
    writev.mockRejectedValueOnce(systemError("ENOSPC"));
    const error = await expectUnavailable(extent.write([makeBytes(10, 10)]));
    expect(error.message).toContain("ENOSPC");
    await expectUnavailable(extent.write([makeBytes(10, 10)]));
    await expectUnavailable(extent.sync());
    expect([writev.mock.calls.length, datasync.mock.calls.length]).toEqual([2, 1]);
    await extent.close();
    expectBytes(await readAll(store, extent.key, 0, 10), makeBytes(10, 10));
  });

  test("a read that the device fails is unavailable and not damage", async () => {
    const { store } = await openDiskStore();
    const key = await putExtent(store, makeBytes(10, 11));
    const read = await spyOnFileHandles("read");
    read.mockRejectedValueOnce(systemError("EIO"));
    const error = await expectUnavailable(readAll(store, key, 0, 10));
    expect(error.message).not.toContain("damaged");
    expectBytes(await readAll(store, key, 0, 10), makeBytes(10, 11));
  });

  test("an error that is no state of the medium passes through untouched", async () => {
    const { store } = await openDiskStore();
    const key = await putExtent(store, makeBytes(10, 12));
    const read = await spyOnFileHandles("read");
    const bug = new RangeError("a bug");
    read.mockRejectedValueOnce(bug);
    await expect(readAll(store, key, 0, 10)).rejects.toBe(bug);
  });
});
