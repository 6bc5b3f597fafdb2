import { appendFile, truncate, utimes, writeFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { type BlobKey, type BlobStore, isUploadError, smallContentBytes } from "../../src/core/index.js";

/** One empty, isolated store. */
export interface OpenBlobStore {
  readonly store: BlobStore;
  /** Closes the store that was opened last and opens another over the same bytes. */
  reopen(): Promise<BlobStore>;
  dispose(): Promise<void>;
}

const soon = () => new Date(Date.now() + 60_000);
const longAgo = new Date("2001-01-01T00:00:00Z");

/** What every blob store promises, whatever it keeps its bytes in. */
export function describeBlobStore(name: string, adapter: { open(): Promise<OpenBlobStore> }): void {
  async function open(): Promise<OpenBlobStore> {
    const opened = await adapter.open();
    onTestFinished(() => opened.dispose());
    return opened;
  }

  describe(name, () => {
    test("the store id is a uuid and stays the same", async () => {
      const { store, reopen } = await open();
      expect(store.storeId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
      const again = await reopen();
      expect(again.storeId).toBe(store.storeId);
    });

    test("two stores have different ids", async () => {
      const [one, other] = [await open(), await open()];
      expect(one.store.storeId).not.toBe(other.store.storeId);
    });

    describe("extents", () => {
      test("P1: bytes that were synced read the same after a reopening", async () => {
        const { store, reopen } = await open();
        const content = makeBytes(300_000, 1);
        const extent = await store.createExtent();
        await extent.write([content.subarray(0, 100_000)]);
        await extent.sync();
        await extent.write([content.subarray(100_000, 100_001), content.subarray(100_001)]);
        await extent.sync();
        await extent.close();
        expectBytes(await readAll(await reopen(), extent.key, 0, content.length), content);
      });

      test("bytes that were written and not yet synced can be read", async () => {
        const { store } = await open();
        const extent = await store.createExtent();
        await extent.write([makeBytes(5000, 2)]);
        expectBytes(await readAll(store, extent.key, 0, 5000), makeBytes(5000, 2));
        await extent.close();
      });

      test("chunks may be reused once a write has settled", async () => {
        const { store } = await open();
        const chunk = makeBytes(70_000, 3);
        const extent = await store.createExtent();
        await extent.write([chunk]);
        chunk.fill(0);
        await extent.sync();
        await extent.close();
        expectBytes(await readAll(store, extent.key, 0, 70_000), makeBytes(70_000, 3));
      });

      describe("from outside", () => {
        const lifeAgo = new Date("2002-02-02T00:00:00Z");
        const anHourAgo = () => new Date(Date.now() - 3_600_000);
        const bring = (content: Uint8Array) => async (path: string) => {
          await writeFile(path, content);
          await utimes(path, lifeAgo, lifeAgo);
          return "brought";
        };
        const listAll = async (store: BlobStore, writtenBefore: Date) =>
          await gather(store.listKeys({ writtenBefore, batchSize: 10 }));

        test("P1: is read like any other, also after a reopening, and its mark stays while nobody writes", async () => {
          const { store, reopen } = await open();
          const content = makeBytes(300_000, 11);
          const adopted = await store.adoptExtent(bring(content));
          expect(adopted).toEqual({ key: adopted?.key, linked: "brought", mark: await store.readMark(adopted!.key) });
          expectBytes(await readAll(store, adopted!.key, 0, content.length), content);
          const again = await reopen();
          expectBytes(await readAll(again, adopted!.key, 5, 100), content.subarray(5, 105));
          expect(await again.readMark(adopted!.key)).toBe(adopted!.mark);
        });

        test.each<[string, (path: string) => Promise<void>]>([
          ["written to", (path) => appendFile(path, "more")],
          ["cut", (path) => truncate(path, 10)],
          ["overwritten in place", (path) => writeFile(path, makeBytes(5000, 13))],
          ["touched", (path) => utimes(path, new Date(), new Date())],
        ])("has another mark once it was %s", async (_what, change) => {
          const { store } = await open();
          let place = "";
          const adopted = await store.adoptExtent(async (path) => {
            place = path;
            return bring(makeBytes(5000, 12))(path);
          });
          await change(place);
          expect(await store.readMark(adopted!.key)).not.toBe(adopted!.mark);
        });

        test("P8: is as young as it was taken in, however old its file is, until a reopening", async () => {
          const { store, reopen } = await open();
          const { key } = (await store.adoptExtent(bring(makeBytes(10, 14))))!;
          expect(await listAll(store, anHourAgo())).toEqual([]);
          const [piece] = await gather(store.listStored({ batchSize: 10 }));
          expect(piece).toMatchObject({ key, unitBytes: 10 });
          expect(piece!.writtenAt.getTime()).toBeGreaterThan(anHourAgo().getTime());
          expect(await listAll(store, soon())).toEqual([key]);
          expect(await listAll(await reopen(), anHourAgo())).toEqual([key]);
        });

        test("goes to the trash and comes back as any other", async () => {
          const { store } = await open();
          const { key, mark } = (await store.adoptExtent(bring(makeBytes(10, 15))))!;
          await store.moveToTrash([key]);
          expect(await store.findBytes(key)).toEqual({ place: "trash", sizeBytes: 10 });
          await store.restoreFromTrash([key]);
          expect(await store.readMark(key)).toBe(mark);
          expectBytes(await readAll(store, key, 0, 10), makeBytes(10, 15));
        });

        test("is not there when it could not be linked, and what went wrong comes out", async () => {
          const { store } = await open();
          expect(await store.adoptExtent(async () => undefined)).toBeUndefined();
          const failing = async (path: string) => {
            await bring(makeBytes(10, 16))(path);
            throw new RangeError("not this one");
          };
          await expect(store.adoptExtent(failing)).rejects.toThrow(new RangeError("not this one"));
          expect(await gather(store.listStored({ batchSize: 10 }))).toEqual([]);
        });

        test("that is not there has no mark: it is damaged", async () => {
          const { store } = await open();
          await store.adoptExtent(bring(makeBytes(10, 6)));
          const key = `e:${"0".repeat(32)}` as BlobKey;
          await expect(store.readMark(key)).rejects.toSatisfy((error) => isUploadError(error, "damaged"));
        });
      });

      test("a write and a sync may be under way at the same time", async () => {
        const { store } = await open();
        const extent = await store.createExtent();
        await extent.write([makeBytes(10_000, 4)]);
        await Promise.all([extent.sync(), extent.write([makeBytes(10_000, 5)])]);
        await extent.sync();
        await extent.close();
        expectBytes(await readAll(store, extent.key, 10_000, 10_000), makeBytes(10_000, 5));
      });

      test("a write of 3000 chunks, some of them empty, keeps their order", async () => {
        const { store } = await open();
        const content = makeBytes(30_000, 6);
        const chunks = Array.from({ length: 3000 }, (_, index) => content.subarray(index * 10, index * 10 + 10));
        const extent = await store.createExtent();
        await extent.write([new Uint8Array(0), ...chunks, new Uint8Array(0)]);
        await extent.sync();
        await extent.close();
        expectBytes(await readAll(store, extent.key, 0, content.length), content);
      });

      test("closing an extent twice, or one that was never written, succeeds", async () => {
        const { store } = await open();
        const extent = await store.createExtent();
        await extent.close();
        await extent.close();
        expect(await readAll(store, extent.key, 0, 0)).toHaveLength(0);
      });

      test("any range of an extent reads as that slice of what was written", async () => {
        const { store } = await open();
        const content = makeBytes(2_500_000, 7);
        const key = await putExtent(store, content);
        await fc.assert(
          fc.asyncProperty(rangeWithin(content.length), async ({ offset, length }) => {
            const read = await readAll(store, key, offset, length);
            expectBytes(read, content.subarray(offset, offset + length));
          }),
          { numRuns: 60 },
        );
      });
    });

    describe("small content", () => {
      test("P1: what putSmall stored reads the same after a reopening", async () => {
        const { store, reopen } = await open();
        const content = makeBytes(5000, 10);
        const key = await store.putSmall([content.subarray(0, 1000), new Uint8Array(0), content.subarray(1000)]);
        expectBytes(await readAll(store, key, 0, 5000), content);
        expectBytes(await readAll(await reopen(), key, 0, 5000), content);
      });

      test("content stored before and after a reopening lies side by side", async () => {
        const { store, reopen } = await open();
        const before = await store.putSmall([makeBytes(100, 11)]);
        const again = await reopen();
        const after = await again.putSmall([makeBytes(100, 12)]);
        expectBytes(await readAll(again, before, 0, 100), makeBytes(100, 11));
        expectBytes(await readAll(again, after, 0, 100), makeBytes(100, 12));
      });

      test("200 calls at the same time get 200 keys, each with its own bytes", async () => {
        const { store } = await open();
        const sizes = Array.from({ length: 200 }, (_, index) => 1 + index * 40);
        const keys = await Promise.all(sizes.map((size) => store.putSmall([makeBytes(size, size)])));
        expect(new Set(keys).size).toBe(200);
        for (const [index, key] of keys.entries()) {
          expectBytes(await readAll(store, key, 0, sizes[index]!), makeBytes(sizes[index]!, sizes[index]!));
        }
      });

      test("the smallest and the largest small content are taken", async () => {
        const { store } = await open();
        for (const size of [1, smallContentBytes]) {
          const key = await store.putSmall([makeBytes(size, 13)]);
          expectBytes(await readAll(store, key, 0, size), makeBytes(size, 13));
        }
      });

      test.each([[0], [smallContentBytes + 1]])("small content of %i bytes is wrong use", async (size) => {
        const { store } = await open();
        await expect(store.putSmall([new Uint8Array(size)])).rejects.toBeInstanceOf(TypeError);
      });

      test("any range of small content reads as that slice of what was written", async () => {
        const { store } = await open();
        const content = makeBytes(smallContentBytes, 14);
        await store.putSmall([makeBytes(77, 15)]);
        const key = await store.putSmall([content]);
        await fc.assert(
          fc.asyncProperty(rangeWithin(content.length), async ({ offset, length }) => {
            const read = await readAll(store, key, offset, length);
            expectBytes(read, content.subarray(offset, offset + length));
          }),
          { numRuns: 60 },
        );
      });
    });

    describe("reading", () => {
      test("P10: chunks are at most 1 MiB", async () => {
        const { store } = await open();
        const key = await putExtent(store, makeBytes(3_500_000, 20));
        const sizes: number[] = [];
        for await (const chunk of store.read(key, 0, 3_500_000)) sizes.push(chunk.byteLength);
        expect(Math.max(...sizes)).toBeLessThanOrEqual(1024 * 1024);
        expect(Math.min(...sizes)).toBeGreaterThan(0);
      });

      test("chunks belong to the reader: overwriting them changes nothing that is read later", async () => {
        const { store } = await open();
        const keys = [await putExtent(store, makeBytes(9000, 21)), await store.putSmall([makeBytes(9000, 21)])];
        for (const key of keys) {
          const kept: Uint8Array[] = [];
          for await (const chunk of store.read(key, 0, 9000)) kept.push(chunk);
          for (const chunk of kept) chunk.fill(0);
          expectBytes(await readAll(store, key, 0, 9000), makeBytes(9000, 21));
        }
      });

      test("bytes beyond the end are damage that names the key", async () => {
        const { store } = await open();
        const keys = [await putExtent(store, makeBytes(9000, 22)), await store.putSmall([makeBytes(9000, 22)])];
        for (const key of keys) {
          await expectDamage(readAll(store, key, 0, 9001), key);
          await expectDamage(readAll(store, key, 9001, 0), key);
        }
      });

      test("a key that is not there is damage that names it", async () => {
        const { store, reopen } = await open();
        const keys = [await putExtent(store, makeBytes(10, 23)), await store.putSmall([makeBytes(10, 23)])];
        const again = await reopen();
        await again.moveToTrash(keys);
        await again.deleteFromTrash(keys);
        for (const key of keys) await expectDamage(readAll(again, key, 0, 10), key);
      });

      test.each([
        [-1, 5],
        [0, -1],
        [0.5, 1],
        [Number.MAX_SAFE_INTEGER, 1],
      ])("a range of offset %d and length %d is wrong use", async (offset, length) => {
        const { store } = await open();
        const key = await store.putSmall([makeBytes(10, 24)]);
        await expect(readAll(store, key, offset, length)).rejects.toBeInstanceOf(TypeError);
      });

      test("an aborted signal stops a read before its first chunk, with the signal's reason", async () => {
        const { store } = await open();
        const keys = [await putExtent(store, makeBytes(10, 25)), await store.putSmall([makeBytes(10, 25)])];
        const reason = new Error("gone");
        for (const key of keys) {
          await expect(readAll(store, key, 0, 10, AbortSignal.abort(reason))).rejects.toBe(reason);
        }
      });

      test("a signal that aborts meanwhile stops a read between chunks, with the signal's reason", async () => {
        const { store } = await open();
        const key = await putExtent(store, makeBytes(4_000_000, 26));
        const controller = new AbortController();
        const reason = new Error("gone");
        let chunks = 0;
        const reading = (async () => {
          for await (const _ of store.read(key, 0, 4_000_000, controller.signal)) {
            chunks++;
            controller.abort(reason);
          }
        })();
        await expect(reading).rejects.toBe(reason);
        expect(chunks).toBe(1);
      });
    });

    describe("listing", () => {
      test("P8: every key written before is listed once, in batches of at most the size asked for", async () => {
        const { store, reopen } = await open();
        const written = [
          ...(await Promise.all(Array.from({ length: 7 }, (_, seed) => store.putSmall([makeBytes(50, seed)])))),
          await putExtent(store, makeBytes(50, 30)),
          await putExtent(store, makeBytes(50, 31)),
        ];
        const again = await reopen();
        for (const batchSize of [1, 4, 9, 100]) {
          const listed: BlobKey[] = [];
          for await (const batch of again.listKeys({ writtenBefore: soon(), batchSize })) {
            expect(batch.length).toBeGreaterThan(0);
            expect(batch.length).toBeLessThanOrEqual(batchSize);
            listed.push(...batch);
          }
          expect(listed.toSorted()).toEqual(written.toSorted());
        }
      });

      test("P8: small content is listed without a reopening, and more can be stored afterwards", async () => {
        const { store } = await open();
        const before = await store.putSmall([makeBytes(50, 32)]);
        expect(await listKeys(store)).toEqual([before]);
        const after = await store.putSmall([makeBytes(50, 33)]);
        expect((await listKeys(store)).toSorted()).toEqual([before, after].toSorted());
      });

      test("P8: keys written since are not listed", async () => {
        const { store, reopen } = await open();
        await putExtent(store, makeBytes(50, 34));
        await store.putSmall([makeBytes(50, 34)]);
        expect(await listKeys(await reopen(), longAgo)).toEqual([]);
      });

      test("a listing can be left early", async () => {
        const { store } = await open();
        await putExtent(store, makeBytes(50, 35));
        await putExtent(store, makeBytes(50, 36));
        for await (const batch of store.listKeys({ writtenBefore: soon(), batchSize: 1 })) {
          expect(batch).toHaveLength(1);
          break;
        }
        expect(await listKeys(store)).toHaveLength(2);
      });

      test("a batch size of zero is wrong use", async () => {
        const { store } = await open();
        const listing = store.listKeys({ writtenBefore: soon(), batchSize: 0 })[Symbol.asyncIterator]();
        await expect(listing.next()).rejects.toBeInstanceOf(TypeError);
      });
    });

    describe("a check", () => {
      test.each(kinds)(
        "finds the bytes of %s where they lie, in their full length, and nothing else",
        async (_, put) => {
          const { store, reopen } = await open();
          const key = await put(store, makeBytes(400, 50));
          expect(await store.findBytes(key)).toEqual({ place: "stored", sizeBytes: 400 });
          const again = await reopen();
          await again.moveToTrash([key]);
          expect(await again.findBytes(key)).toEqual({ place: "trash", sizeBytes: 400 });
          await again.restoreFromTrash([key]);
          expect(await again.findBytes(key)).toEqual({ place: "stored", sizeBytes: 400 });
          await again.moveToTrash([key]);
          await again.deleteFromTrash([key]);
          expect(await again.findBytes(key)).toBeUndefined();
          expect(await again.findBytes("no key that a store makes" as BlobKey)).toBeUndefined();
        },
      );

      test("is told every key that is not in the trash once, with its unit, and changes nothing", async () => {
        const { store, reopen } = await open();
        const small = await Promise.all([1, 2, 3].map((seed) => store.putSmall([makeBytes(50, seed)])));
        const large = [await putExtent(store, makeBytes(50, 51)), await putExtent(store, makeBytes(70, 52))];
        const trashed = await putExtent(store, makeBytes(50, 53));
        await store.moveToTrash([trashed]);
        for (const open of [async () => store, reopen]) {
          const each = await open();
          for (const batchSize of [1, 2, 100]) {
            const batches = await collect(each.listStored({ batchSize }));
            expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(batchSize);
            const pieces = batches.flat();
            expect(pieces.map(({ key }) => key).toSorted()).toEqual([...small, ...large].toSorted());
            const units = pieces.map(({ unit }) => unit);
            expect(units.filter((unit, at) => unit !== units[at - 1])).toHaveLength(new Set(units).size);
            expect(pieces.find(({ key }) => key === large[1])?.unitBytes).toBe(70);
          }
        }
        expect(await collect((await reopen()).listForeign())).toEqual([]);
      });
    });

    describe("the trash", () => {
      test.each(kinds)(
        "P8: %s in the trash is listed there and nowhere else, also after a reopening",
        async (_, put) => {
          const { store, reopen } = await open();
          const key = await put(store, makeBytes(400, 40));
          const again = await reopen();
          await again.moveToTrash([key]);
          expect(await listKeys(again)).toEqual([]);
          expect(await listTrash(again)).toEqual([key]);
          const later = await reopen();
          expect(await listKeys(later)).toEqual([]);
          expect(await listTrash(later)).toEqual([key]);
        },
      );

      test.each(kinds)(
        "%s in the trash is read on by whoever began before, and after that is damage",
        async (_, put) => {
          const { store, reopen } = await open();
          const key = await put(store, makeBytes(400, 41));
          const again = await reopen();
          await again.moveToTrash([key]);
          expectBytes(await readAll(again, key, 0, 400), makeBytes(400, 41));
          expect(await listTrash(again)).toEqual([key]);
          await again.deleteFromTrash([key]);
          await expect(readAll(again, key, 0, 400)).rejects.toMatchObject({ code: "damaged" });
        },
      );

      test.each(kinds)("P8: %s that is restored reads as before and can be trashed again", async (_, put) => {
        const { store, reopen } = await open();
        const key = await put(store, makeBytes(400, 42));
        const again = await reopen();
        await again.moveToTrash([key]);
        await again.restoreFromTrash([key]);
        expect(await listTrash(again)).toEqual([]);
        expect(await listKeys(again)).toEqual([key]);
        expectBytes(await readAll(again, key, 0, 400), makeBytes(400, 42));
        await again.moveToTrash([key]);
        expect(await listTrash(again)).toEqual([key]);
      });

      test.each(kinds)("P8: %s deleted from the trash is gone for good", async (_, put) => {
        const { store, reopen } = await open();
        const key = await put(store, makeBytes(400, 43));
        const again = await reopen();
        await again.moveToTrash([key]);
        await again.deleteFromTrash([key]);
        await again.restoreFromTrash([key]);
        expect(await listTrash(again)).toEqual([]);
        expect(await listKeys(again)).toEqual([]);
      });

      test.each(kinds)("P8: deleteFromTrash leaves %s that is not in the trash alone", async (_, put) => {
        const { store, reopen } = await open();
        const key = await put(store, makeBytes(400, 44));
        const again = await reopen();
        await again.deleteFromTrash([key]);
        expectBytes(await readAll(again, key, 0, 400), makeBytes(400, 44));
      });

      test("P8: trashing some small content leaves what was stored beside it", async () => {
        const { store, reopen } = await open();
        const [dead, alive] = await putPair(store, 45);
        const again = await reopen();
        await again.moveToTrash([dead]);
        expect(await listKeys(again)).toContain(alive);
        expectBytes(await readAll(again, alive, 0, 400), makeBytes(400, 46));
      });

      test("P8: a key restored meanwhile does not follow its neighbours into the trash", async () => {
        const { store, reopen } = await open();
        const [one, other] = await putPair(store, 47);
        const again = await reopen();
        await again.moveToTrash([one]);
        await again.restoreFromTrash([one]);
        await again.moveToTrash([other]);
        expectBytes(await readAll(again, one, 0, 400), makeBytes(400, 47));
        await again.moveToTrash([one, other]);
        expect((await listTrash(again)).toSorted()).toEqual([one, other].toSorted());
      });

      test("P8: small content noted in several calls is trashed, and deleted in several calls", async () => {
        const { store, reopen } = await open();
        const [one, other] = await putPair(store, 49);
        const again = await reopen();
        await again.moveToTrash([one]);
        await again.moveToTrash([other]);
        expect((await listTrash(again)).toSorted()).toEqual([one, other].toSorted());
        await again.deleteFromTrash([one]);
        await again.deleteFromTrash([other]);
        expect(await listTrash(again)).toEqual([]);
        await again.restoreFromTrash([one, other]);
        await expectDamage(readAll(again, one, 0, 400), one);
      });

      test("P8: deleting some trashed small content leaves what was stored beside it restorable", async () => {
        const { store, reopen } = await open();
        const [one, other] = await putPair(store, 51);
        const again = await reopen();
        await again.moveToTrash([one, other]);
        await again.deleteFromTrash([one]);
        await again.restoreFromTrash([other]);
        expectBytes(await readAll(again, other, 0, 400), makeBytes(400, 52));
      });

      test("P8: a restore undoes what was asked to be deleted before it", async () => {
        const { store, reopen } = await open();
        const [one, other] = await putPair(store, 57);
        const again = await reopen();
        await again.moveToTrash([one, other]);
        await again.deleteFromTrash([one]);
        await again.restoreFromTrash([one, other]);
        await again.moveToTrash([one, other]);
        await again.deleteFromTrash([other]);
        await again.restoreFromTrash([one]);
        expectBytes(await readAll(again, one, 0, 400), makeBytes(400, 57));
      });

      test("P8: small content that may still get neighbours is readable after it is noted", async () => {
        const { store } = await open();
        const [one, other] = await putPair(store, 53);
        await store.moveToTrash([one, other]);
        const third = await store.putSmall([makeBytes(400, 55)]);
        expectBytes(await readAll(store, third, 0, 400), makeBytes(400, 55));
      });

      test("keys that are not there are passed over", async () => {
        const { store, reopen } = await open();
        const keys = [await putExtent(store, makeBytes(10, 56)), await store.putSmall([makeBytes(10, 56)])];
        const again = await reopen();
        await again.moveToTrash(keys);
        await again.deleteFromTrash(keys);
        await again.moveToTrash(keys);
        await again.restoreFromTrash(keys);
        await again.deleteFromTrash(keys);
        expect([...(await listKeys(again)), ...(await listTrash(again))]).toEqual([]);
      });

      test("trash is listed in batches of at most the size asked for", async () => {
        const { store, reopen } = await open();
        const keys = await Promise.all(Array.from({ length: 5 }, (_, seed) => store.putSmall([makeBytes(50, seed)])));
        const again = await reopen();
        await again.moveToTrash(keys);
        const sizes: number[] = [];
        for await (const batch of again.listTrash({ trashedBefore: soon(), batchSize: 2 })) sizes.push(batch.length);
        expect(sizes).toEqual([2, 2, 1]);
      });
    });

    describe("the store as a whole", () => {
      test("a store on a sound medium is healthy, however many ask", async () => {
        const { store } = await open();
        await Promise.all([store.checkHealth(), store.checkHealth(), store.checkHealth()]);
      });

      test("closing waits for what is under way", async () => {
        const { store, reopen } = await open();
        const putting = store.putSmall([makeBytes(600, 60)]);
        await store.close();
        expectBytes(await readAll(await reopen(), await putting, 0, 600), makeBytes(600, 60));
      });

      test("closing twice succeeds, and ends reads that nobody goes on with", async () => {
        const { store } = await open();
        const key = await putExtent(store, makeBytes(3_000_000, 61));
        const reading = store.read(key, 0, 3_000_000)[Symbol.asyncIterator]();
        await reading.next();
        await store.close();
        await store.close();
        await expectUnavailable(reading.next());
      });

      test.each<[string, (store: BlobStore, key: BlobKey) => Promise<unknown>]>([
        ["createExtent", (store) => store.createExtent()],
        ["putSmall", (store) => store.putSmall([makeBytes(1, 62)])],
        ["read", (store, key) => readAll(store, key, 0, 1)],
        ["listKeys", (store) => listKeys(store)],
        ["moveToTrash", (store, key) => store.moveToTrash([key])],
        ["listTrash", (store) => listTrash(store)],
        ["restoreFromTrash", (store, key) => store.restoreFromTrash([key])],
        ["deleteFromTrash", (store, key) => store.deleteFromTrash([key])],
        ["checkHealth", (store) => store.checkHealth()],
      ])("%s of a closed store fails with unavailable", async (_, deed) => {
        const { store } = await open();
        const key = await store.putSmall([makeBytes(1, 62)]);
        await store.close();
        await expectUnavailable(deed(store, key));
      });

      test("an extent of a closed store takes no more bytes", async () => {
        const { store } = await open();
        const extent = await store.createExtent();
        await store.close();
        await expectUnavailable(extent.write([makeBytes(1, 63)]));
        await expectUnavailable(extent.sync());
        await extent.close();
      });
    });
  });
}

const kinds: readonly [string, (store: BlobStore, content: Uint8Array) => Promise<BlobKey>][] = [
  ["an extent", putExtent],
  ["small content", (store, content) => store.putSmall([content])],
];

/**
 * Two small contents of 400 bytes, of `seed` and of the seed after it, stored side by side where the store does that.
 */
async function putPair(store: BlobStore, seed: number): Promise<readonly [BlobKey, BlobKey]> {
  return await Promise.all([store.putSmall([makeBytes(400, seed)]), store.putSmall([makeBytes(400, seed + 1)])]);
}

export async function putExtent(store: BlobStore, content: Uint8Array): Promise<BlobKey> {
  const extent = await store.createExtent();
  await extent.write([content]);
  await extent.sync();
  await extent.close();
  return extent.key;
}

export async function readAll(
  store: BlobStore,
  key: BlobKey,
  offset: number,
  length: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(key, offset, length, signal)) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

export async function listKeys(store: BlobStore, writtenBefore = soon()): Promise<readonly BlobKey[]> {
  const keys: BlobKey[] = [];
  for await (const batch of store.listKeys({ writtenBefore, batchSize: 10 })) keys.push(...batch);
  return keys;
}

export async function collect<T>(things: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const thing of things) all.push(thing);
  return all;
}

export async function listTrash(store: BlobStore, trashedBefore = soon()): Promise<readonly BlobKey[]> {
  const keys: BlobKey[] = [];
  for await (const batch of store.listTrash({ trashedBefore, batchSize: 10 })) keys.push(...batch);
  return keys;
}

export async function expectUnavailable(deed: Promise<unknown>): Promise<Error> {
  const error: unknown = await deed.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isUploadError(error, "unavailable")) throw error ?? new Error("it succeeded");
  expect(error.details.reason).toBe("STORAGE_UNAVAILABLE");
  return error;
}

export async function expectDamage(deed: Promise<unknown>, key: string): Promise<void> {
  const error: unknown = await deed.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isUploadError(error, "damaged")) throw error ?? new Error("it succeeded");
  expect(error.details.reason).toBe("CONTENT_DAMAGED");
  expect(error.message).toContain(key);
}

/** Compares without a listing of a million differences. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) === 0) return;
  const differsAt = actual.findIndex((byte, index) => byte !== expected[index]);
  expect({ size: actual.length, differsAt }).toEqual({ size: expected.length, differsAt: -1 });
}

/** Bytes that differ from place to place and from seed to seed. */
export function makeBytes(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = (seed + 1) * 2654435761;
  for (let index = 0; index < size; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

function rangeWithin(size: number) {
  return fc.tuple(fc.nat(size), fc.nat(size)).map(([a, b]) => ({ offset: Math.min(a, b), length: Math.abs(a - b) }));
}

async function gather<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}
