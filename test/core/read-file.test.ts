import { rename } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BlobKey } from "../../src/core/index.js";
import { createDiskBlobStore } from "../../src/storage/disk/blob-store.js";
import { bodyOf, pseudoRandom, readWhole } from "../support/bodies.js";
import { contentOf, cutBytes, removeBytes } from "../support/check.js";
import {
  makeItem,
  type OpenedUploads,
  openUploads,
  readBack,
  startFile,
  startSession,
  storeFile,
} from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

/** A ready file, sent in parts of these lengths: each is an extent of its own. */
async function sendInParts(content: Uint8Array, lengths: readonly number[]) {
  const { uploads, alice } = opened;
  const place = await startFile(uploads, alice, { sizeBytes: content.length });
  let offset = 0;
  for (const length of [...lengths, content.length]) {
    const body = bodyOf([content.subarray(offset, offset + length)]);
    offset = (await uploads.writePart({ ...place, offset, body }, alice)).offset;
    if (offset === content.length) break;
  }
  return place;
}

describe("reading content", () => {
  it("that was sent in parts of random sizes gives any range of it as it was sent", async () => {
    const { uploads, alice } = opened;
    const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 200_000 })), {
      maxLength: 5,
    });
    const range = fc.record({ offset: fc.nat(400_000), limit: fc.nat(400_000) });
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 400_000 }),
      lengths,
      fc.array(range, { minLength: 1, maxLength: 8 }),
      async (sizeBytes, parts, ranges) => {
        const content = pseudoRandom(sizeBytes);
        const place = await sendInParts(content, parts);
        for (const asked of ranges) {
          const offset = asked.offset % (sizeBytes + 1);
          const { from, to, body } = await uploads.readFile({ ...place, offset, limit: asked.limit }, alice);
          expect([from, to]).toEqual([offset, Math.min(sizeBytes, offset + asked.limit)]);
          expect(Buffer.compare(await readWhole(body), content.subarray(from, to))).toBe(0);
        }
      },
    );
    await fc.assert(property, { numRuns: 15 });
  });

  it("comes in chunks of at most 1 MiB (P10)", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, pseudoRandom(3 * 2 ** 20 + 5));
    const { body } = await uploads.readFile(place, alice);
    for await (const chunk of body) expect(chunk.length).toBeLessThanOrEqual(2 ** 20);
  });

  it("past its end is refused with its size, and at its end gives nothing", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, pseudoRandom(10));
    await expect(uploads.readFile({ ...place, offset: 11 }, alice)).rejects.toMatchObject({
      code: "offset_mismatch",
      details: { expectedOffset: 10 },
    });
    const { from, to, body } = await uploads.readFile({ ...place, offset: 10 }, alice);
    expect([from, to, (await readWhole(body)).length]).toEqual([10, 10, 0]);
  });

  it("that is not whole is incomplete, with how much there is", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    await uploads.writePart({ ...place, offset: 0, body: bodyOf([pseudoRandom(10)]) }, alice);
    await expect(uploads.readFile(place, alice)).rejects.toMatchObject({
      code: "incomplete",
      details: { reason: "NO_CONTENT", expectedOffset: 10 },
    });
  });

  it("stops with the signal's reason when the call is aborted", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, pseudoRandom(4 * 2 ** 20));
    const controller = new AbortController();
    const { body } = await uploads.readFile(place, { ...alice, signal: controller.signal });
    let read = 0;
    const reading = (async () => {
      for await (const chunk of body) {
        read += chunk.length;
        controller.abort(new Error("reader gone"));
      }
    })();
    await expect(reading).rejects.toThrow("reader gone");
    expect(read).toBeLessThan(4 * 2 ** 20);
  });

  it.each([
    ["gone", removeBytes],
    ["cut", (dataDir: string, key: BlobKey) => cutBytes(dataDir, key, 100_000)],
  ])("whose bytes are %s is damaged, and gives none of them: a retry would not help", async (_what, harm) => {
    const { uploads, alice, metadata, dataDir } = opened;
    const place = await storeFile(uploads, alice, pseudoRandom(200_000));
    await harm(dataDir, (await contentOf(metadata, place.fileId)).extents[0]!.blobKey);
    const { body } = await uploads.readFile(place, alice);
    const refusal = { code: "damaged", details: { reason: "CONTENT_DAMAGED" } };
    await expect(body[Symbol.asyncIterator]().next()).rejects.toMatchObject(refusal);
  });

  it.each(["extents", "packs"])(
    "is unavailable while the folder of its %s is away, and whole once it is back",
    async (name) => {
      const { uploads, alice, dataDir } = opened;
      const content = pseudoRandom(name === "packs" ? 1_000 : 200_000);
      const place = await storeFile(uploads, alice, content);
      // No handle of a pack that is open already may help.
      const again = await createDiskBlobStore({ dataDir, durability: "os" });
      const cold = opened.restart({ wrapBlobs: () => again });
      const away = join(dataDir, `${name}-away`);
      await rename(join(dataDir, name), away);
      try {
        const reading = cold.readFile(place, alice).then(({ body }) => readWhole(body));
        await expect(reading).rejects.toMatchObject({ code: "unavailable" });
      } finally {
        await rename(away, join(dataDir, name));
      }
      expect(Buffer.compare(await readBack(cold, alice, place), content)).toBe(0);
      await again.close();
    },
  );
});

describe("reading an item's file", () => {
  it("gives what the last completed session put there, to everyone in the tenant", async () => {
    const { uploads, alice, bob } = opened;
    const item = await makeItem(opened);
    const name = "a.bin";
    for (const seed of [1, 2]) {
      const session = await startSession(uploads, alice, { itemId: item.id });
      await storeFile(uploads, alice, pseudoRandom(1000, seed), { sessionId: session.id, name });
      await uploads.completeSession({ sessionId: session.id }, alice);
      await uploads.deleteSession({ sessionId: session.id }, alice);
    }
    const { file, body } = await uploads.readItemFile({ itemId: item.id, name, offset: 3, limit: 5 }, bob);
    expect(file.version).toBe(2);
    expect(await readWhole(body)).toEqual(pseudoRandom(1000, 2).subarray(3, 8));
    const unknown = uploads.readItemFile({ itemId: item.id, name: "b.bin" }, bob);
    await expect(unknown).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("a read whose content is replaced and collected before its bytes were looked up", () => {
  it.each(["the item's file", "the session's file"])("of %s gives the newer content", async (whose) => {
    const { alice } = opened;
    const { id: itemId } = await makeItem(opened);
    const name = "a.bin";
    const publish = async (seed: number) => {
      const { id: sessionId } = await startSession(opened.uploads, alice, { itemId });
      await storeFile(opened.uploads, alice, pseudoRandom(1000, seed), { sessionId, name });
      await opened.uploads.completeSession({ sessionId }, alice);
      await opened.uploads.deleteSession({ sessionId }, alice);
    };
    await publish(1);
    const place = await storeFile(opened.uploads, alice, pseudoRandom(1000, 1));
    const body = bodyOf([pseudoRandom(1000, 2)]);
    const ending = () => ({ finish: true });
    let between: (() => Promise<unknown>) | undefined = async () => {
      if (whose === "the item's file") await publish(2);
      else await opened.uploads.writePart({ ...place, offset: 0, restart: true, body, ending }, alice);
      await opened.uploads.sweepRows();
    };
    const uploads = opened.restart({
      wrapMetadata: (metadata) => ({
        ...metadata,
        async listExtents(contentId) {
          const happen = between;
          between = undefined;
          await happen?.();
          return metadata.listExtents(contentId);
        },
      }),
    });
    const reading =
      whose === "the item's file" ? uploads.readItemFile({ itemId, name }, alice) : uploads.readFile(place, alice);
    expect(await readWhole((await reading).body)).toEqual(pseudoRandom(1000, 2));
  });
});
