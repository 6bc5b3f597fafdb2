import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type BlobKey, defaultSweep } from "../../src/core/index.js";
import { bodyOf, pseudoRandom, readWhole } from "../support/bodies.js";
import {
  hookMetadata,
  makeItem,
  type OpenedUploads,
  openUploads,
  readBack,
  startFile,
  startSession,
  storeFile,
} from "../support/uploads.js";

const hour = 3_600_000;
const day = 24 * hour;
const brief = { idleTtlMs: 30, absoluteTtlMs: undefined, keepTerminalMs: 30 };
/** Too large for a pack, so that it is a file of its own. */
const large = pseudoRandom(200_000);

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterEach(removeEverything);
afterAll(() => opened.close());

const sweepAt = (clockAheadMs: number) => opened.restart({ clockAheadMs }).sweep(defaultSweep);

async function listAll(batches: AsyncIterable<readonly BlobKey[]>): Promise<readonly BlobKey[]> {
  const all: BlobKey[] = [];
  for await (const keys of batches) all.push(...keys);
  return all;
}
const future = () => new Date(Date.now() + 100 * day);
const storedKeys = () => listAll(opened.blobs.listKeys({ writtenBefore: future(), batchSize: 100 }));
const trashedKeys = () => listAll(opened.blobs.listTrash({ trashedBefore: future(), batchSize: 100 }));

/** Leaves nothing to the next test but its own. */
async function removeEverything(): Promise<void> {
  const { uploads, admin } = opened;
  const page = { size: 1000 };
  for (const { id, state } of (await uploads.listSessions({ page }, admin)).things) {
    if (state === "active") await uploads.cancelSession({ sessionId: id }, admin);
    await uploads.deleteSession({ sessionId: id }, admin);
  }
  for (const { id } of (await uploads.listItems({ page }, admin)).things)
    await uploads.deleteItem({ itemId: id }, admin);
  await sweepAt(100 * day);
  expect([await storedKeys(), await trashedKeys()]).toEqual([[], []]);
}

describe("the bytes of a cancelled session (P8)", () => {
  it("go to the trash after a day and for good after seven more", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, large);
    await uploads.cancelSession(place, alice);
    expect(await sweepAt(0)).toMatchObject({ releasedContents: 1, trashedKeys: 0, deletedKeys: 0 });
    expect(await sweepAt(day - hour)).toMatchObject({ trashedKeys: 0, deletedKeys: 0 });
    expect(await storedKeys()).toHaveLength(1);
    expect(await sweepAt(day + hour)).toMatchObject({ trashedKeys: 1, deletedKeys: 0 });
    expect([await storedKeys(), (await trashedKeys()).length]).toEqual([[], 1]);
    expect(await sweepAt(7 * day - hour)).toMatchObject({ deletedKeys: 0 });
    expect(await sweepAt(7 * day + hour)).toMatchObject({ deletedKeys: 1 });
    expect(await trashedKeys()).toEqual([]);
  });

  it("are kept when they have come to an item, whatever happens to the session", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    const session = await startSession(uploads, alice, { itemId: item.id });
    const place = await storeFile(uploads, alice, large, { sessionId: session.id });
    await uploads.completeSession(place, alice);
    await uploads.deleteSession(place, alice);
    for (const ahead of [0, 2 * day, 40 * day]) {
      expect(await sweepAt(ahead)).toMatchObject({ trashedKeys: 0, deletedKeys: 0 });
    }
    const { body } = await uploads.readItemFile({ itemId: item.id, name: place.name }, alice);
    expect(Buffer.compare(await readWhole(body), large)).toBe(0);
  });
});

describe("bytes that something names (P8)", () => {
  it("are never swept, large or small, whole or on the way", async () => {
    const { uploads, alice } = opened;
    const whole = await storeFile(uploads, alice, large);
    const small = await storeFile(uploads, alice, large.subarray(0, 100));
    const partly = await startFile(uploads, alice);
    await uploads.writePart({ ...partly, offset: 0, body: bodyOf([large.subarray(0, 150_000)]) }, alice);
    for (const ahead of [2 * day, 40 * day]) {
      expect(await sweepAt(ahead)).toMatchObject({ trashedKeys: 0, deletedKeys: 0, expiredSessions: 0 });
    }
    expect(await readBack(uploads, alice, whole)).toEqual(large);
    expect(await readBack(uploads, alice, small)).toEqual(large.subarray(0, 100));
    const rest = { ...partly, offset: 150_000, body: bodyOf([large.subarray(150_000)]) };
    await uploads.writePart({ ...rest, ending: () => ({ finish: true }) }, alice);
    expect(Buffer.compare(await readBack(uploads, alice, partly), large)).toBe(0);
  });

  it("come back out of the trash, whether that is noticed at once or at the end", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, large);
    const [key] = await storedKeys();
    let asked = 0;
    const hasty = opened.restart({
      clockAheadMs: 2 * day,
      // As if the row that names it had been written between the look and the move.
      wrapMetadata: (metadata) => ({
        ...metadata,
        findReferencedKeys: async (keys) => (asked++ === 0 ? new Set() : metadata.findReferencedKeys(keys)),
      }),
    });
    expect(await hasty.sweep(defaultSweep)).toMatchObject({ trashedKeys: 0, restoredKeys: 1, deletedKeys: 0 });
    expect(Buffer.compare(await readBack(uploads, alice, place), large)).toBe(0);

    await opened.blobs.moveToTrash([key!]);
    expect(await sweepAt(9 * day)).toMatchObject({ restoredKeys: 1, deletedKeys: 0 });
    expect(Buffer.compare(await readBack(uploads, alice, place), large)).toBe(0);
  });
});

describe("what a new attempt leaves behind", () => {
  it("is collected: the former content once the new one is whole, and what a lost writer staged (P8)", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, large);
    const fresh = pseudoRandom(200_000, 2);
    const part = { ...place, offset: 0, restart: true, body: bodyOf([fresh]), ending: () => ({ finish: true }) };
    await uploads.writePart(part, alice);
    expect(await storedKeys()).toHaveLength(2);
    expect(await sweepAt(2 * day)).toMatchObject({ releasedContents: 1, trashedKeys: 1 });
    expect(Buffer.compare(await readBack(uploads, alice, place), fresh)).toBe(0);
  });

  it("is collected too when it was never committed (P2)", async () => {
    const { alice } = opened;
    const uploads = opened.restart({
      wrapMetadata: hookMetadata({
        before(deed) {
          if (deed === "commitExtent" || deed === "finishAttempt") throw new Error("crashed");
        },
      }),
    });
    await expect(storeFile(uploads, alice, large)).rejects.toThrow("crashed");
    expect(await storedKeys()).toHaveLength(1);
    expect(await sweepAt(day - hour)).toMatchObject({ trashedKeys: 0 });
    expect(await sweepAt(2 * day)).toMatchObject({ trashedKeys: 1 });
  });
});

describe("a session whose deadline has passed", () => {
  it("is failed by the sweep, loses its content, and is forgotten after its time", async () => {
    const { uploads, alice } = opened;
    const session = await startSession(uploads, alice, { deadlines: { ...brief, keepTerminalMs: 2000 } });
    const { id: sessionId } = session;
    await sleep(60);
    expect(await sweepAt(0)).toMatchObject({ expiredSessions: 1, forgottenSessions: 0 });
    const failed = await uploads.getSession({ sessionId }, alice);
    expect(failed).toMatchObject({ state: "failed", failure: { reason: "expired" } });
    const late = uploads.addFile({ sessionId, name: "a" }, alice);
    await expect(late).rejects.toMatchObject({ code: "expired", details: { reason: "SESSION_EXPIRED" } });
    expect(await sweepAt(0)).toMatchObject({ expiredSessions: 0, forgottenSessions: 0 });
    await sleep(2100);
    expect(await sweepAt(0)).toMatchObject({ forgottenSessions: 1 });
    await expect(uploads.getSession({ sessionId }, alice)).rejects.toMatchObject({ code: "not_found" });
  });

  it("goes by the database's clock and not by this process's (P8)", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    expect(await sweepAt(365 * day)).toMatchObject({ expiredSessions: 0, forgottenSessions: 0 });
    expect((await uploads.getSession(place, alice)).state).toBe("active");
  });

  it("is swept with many others in one sweep, and those that are kept alive stay", async () => {
    const { uploads, alice } = opened;
    for (let i = 0; i < 30; i++) await startSession(uploads, alice, { deadlines: brief });
    const kept = await startSession(uploads, alice);
    await sleep(60);
    expect((await sweepAt(0)).expiredSessions).toBe(30);
    expect((await uploads.getSession({ sessionId: kept.id }, alice)).state).toBe("active");
  });
});

describe("a session that holds its content itself", () => {
  it("is never forgotten by itself, and its bytes go only with its deletion (P8)", async () => {
    const { uploads, alice } = opened;
    const session = await startSession(uploads, alice, { deadlines: { ...brief, idleTtlMs: hour } });
    const place = await storeFile(uploads, alice, large, { sessionId: session.id });
    await uploads.completeSession(place, alice);
    await sleep(60);
    expect(await sweepAt(40 * day)).toMatchObject({ forgottenSessions: 0, trashedKeys: 0, deletedKeys: 0 });
    expect(Buffer.compare(await readBack(uploads, alice, place), large)).toBe(0);
    await uploads.deleteSession(place, alice);
    expect(await sweepAt(2 * day)).toMatchObject({ releasedContents: 1, trashedKeys: 1 });
  });
});
