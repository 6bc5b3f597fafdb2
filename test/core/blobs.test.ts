import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blobAlgorithms, formatBlobRef, smallContentBytes } from "../../src/core/index.js";
import { isStored, put, readBack, refOf } from "../support/blobs.js";
import { pseudoRandom, readWhole } from "../support/bodies.js";
import { type OpenedUploads, openUploads, startFile, startSession, storeFile } from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

let seed = 0;
/** Content that no other test has. */
const fresh = (length: number) => pseudoRandom(length, 1000 + seed++);

describe("asking for blobs", () => {
  it("answers those that are there, each once, and refuses more refs than it may (P10)", async () => {
    const { alice } = opened;
    const uploads = opened.restart({ limits: { maxBlobRefs: 3 } });
    const { blob } = await put(uploads, alice, fresh(10));
    const missing = refOf(fresh(10));
    expect(await uploads.statBlobs({ refs: [] }, alice)).toEqual([]);
    expect(await uploads.statBlobs({ refs: [blob.ref, missing, blob.ref] }, alice)).toEqual([blob]);
    const refs = [missing, missing, missing, missing];
    const refused = {
      code: "too_many",
      details: { reason: "TOO_MANY_BLOBS", limit: { setting: "SLIPWAY_MAX_BLOB_REFS", value: 3 } },
    };
    await expect(uploads.statBlobs({ refs }, alice)).rejects.toMatchObject(refused);
    await expect(uploads.removeBlobs({ refs }, opened.admin)).rejects.toMatchObject(refused);
  });

  it("by digest takes either case", async () => {
    const { uploads, alice } = opened;
    const { blob } = await put(uploads, alice, fresh(10));
    const shouted = { algorithm: blob.ref.algorithm, digest: blob.ref.digest.toUpperCase() };
    expect(await uploads.statBlobs({ refs: [shouted] }, alice)).toEqual([blob]);
  });
});

describe("reading a blob", () => {
  it("gives any range of it, and refuses what lies past its end", async () => {
    const { uploads, alice } = opened;
    for (const size of [100, smallContentBytes + 100]) {
      const content = fresh(size);
      const ref = refOf(content);
      await put(uploads, alice, content);
      for (const [offset, limit, end] of [
        [0, 10, 10],
        [size - 3, 10, size],
        [size, undefined, size],
        [7, 0, 7],
      ] as const) {
        const { blob, from, to, body } = await uploads.readBlob({ ref, offset, limit }, alice);
        expect([blob.sizeBytes, from, to]).toEqual([size, offset, end]);
        expect(await readWhole(body)).toEqual(content.subarray(offset, end));
      }
      const past = uploads.readBlob({ ref, offset: size + 1 }, alice);
      await expect(past).rejects.toMatchObject({ code: "offset_mismatch", details: { expectedOffset: size } });
    }
    const missing = uploads.readBlob({ ref: refOf(fresh(10)) }, alice);
    await expect(missing).rejects.toMatchObject({ code: "not_found", details: { reason: "BLOB_NOT_FOUND" } });
  });
});

describe("listing blobs", () => {
  it("goes through all of them page by page in the order of their refs, and on from any text", async () => {
    const own = await openUploads();
    const { uploads, alice } = own;
    for (let n = 0; n < 25; n++)
      await put(uploads, alice, fresh(n), refOf(pseudoRandom(n, 999 + seed), blobAlgorithms[n % 3]!));
    const all = (await uploads.listBlobs({ page: {} }, alice)).things.map(({ ref }) => formatBlobRef(ref));
    expect(all).toHaveLength(25);
    expect([...all].sort()).toEqual(all);
    const paged: string[] = [];
    for (let cursor: string | undefined = ""; cursor !== undefined; ) {
      const page = await uploads.listBlobs({ page: { size: 7, cursor } }, alice);
      paged.push(...page.things.map(({ ref }) => formatBlobRef(ref)));
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(all);
    const listAfter = async (text: string) =>
      (await uploads.listBlobs({ after: text, page: {} }, alice)).things.map(({ ref }) => formatBlobRef(ref));
    expect(await listAfter(all[3]!)).toEqual(all.slice(4));
    expect(await listAfter(`${all[3]}\0`)).toEqual(all.slice(4));
    expect(await listAfter(`${all[3]!.slice(0, -1)}\0${"x".repeat(1000)}`)).toEqual(all.slice(3));
    expect(await listAfter(`sha1-${"x".repeat(100_000)}`)).toEqual(all.filter((text) => text > "sha2"));
    expect(await listAfter("\ud800")).toEqual([]);
    await own.close();
  });

  it.each(["x", "-", btoa("sha1-00"), btoa("1767323045678 00000000-0000-4000-8000-000000000000"), "é"])(
    "refuses the page token %j",
    async (cursor) => {
      const listing = opened.uploads.listBlobs({ page: { cursor } }, opened.alice);
      await expect(listing).rejects.toMatchObject({ code: "invalid", details: { reason: "PAGE_INVALID" } });
    },
  );
});

describe("removing blobs", () => {
  it("is for administrators, passes over what is not there, and ends in nothing to be seen", async () => {
    const { uploads, alice, admin } = opened;
    const { blob } = await put(uploads, alice, fresh(10));
    const refs = [blob.ref, refOf(fresh(10)), blob.ref];
    await expect(uploads.removeBlobs({ refs }, alice)).rejects.toMatchObject({ code: "denied" });
    expect(await uploads.removeBlobs({ refs }, admin)).toEqual({ removed: 1 });
    expect(await uploads.removeBlobs({ refs }, admin)).toEqual({ removed: 0 });
    expect(await uploads.removeBlobs({ refs: [] }, admin)).toEqual({ removed: 0 });
    expect(await isStored(uploads, alice, blob.ref)).toBe(false);
  });

  it("lets the sweep collect their bytes, and those of nothing else (P8)", async () => {
    const own = await openUploads({ clockAheadMs: 3_600_000 });
    const { uploads, alice, admin } = own;
    const [kept, gone] = [fresh(200_000), fresh(200_000)];
    await put(uploads, alice, kept);
    await put(uploads, alice, gone);
    await uploads.removeBlobs({ refs: [refOf(gone)] }, admin);
    const { trashedKeys, deletedKeys } = await uploads.sweep({ keepUnreferencedMs: 1, keepTrashMs: 1 });
    expect([trashedKeys, deletedKeys]).toEqual([1, 1]);
    expect(Buffer.compare(await readBack(uploads, alice, refOf(kept)), kept)).toBe(0);
    await own.close();
  });
});

describe("publishing a file", () => {
  it("gives its content the ref of its SHA-256, once, for as long as the blob is there", async () => {
    const { uploads, alice, bob, admin } = opened;
    for (const size of [10, smallContentBytes + 10, 0]) {
      const content = fresh(size);
      const ref = refOf(content);
      await uploads.removeBlobs({ refs: [ref] }, admin);
      const place = await storeFile(uploads, alice, content);
      await uploads.completeSession(place, alice);
      expect(await isStored(uploads, alice, ref)).toBe(false);
      const first = await uploads.publishFile(place, alice);
      expect(first).toMatchObject({ applied: true, blob: { ref, sizeBytes: size } });
      expect(await uploads.publishFile(place, alice)).toEqual({ ...first, applied: false });
      await uploads.deleteSession(place, alice);
      await uploads.sweepRows();
      expect(Buffer.compare(await readBack(uploads, bob, ref), content)).toBe(0);
    }
  });

  it("of a session that is not done is refused, and so is one of a session that nobody may see", async () => {
    const { uploads, alice, bob, otherTenant } = opened;
    const place = await storeFile(uploads, alice, fresh(10));
    const refused = { code: "wrong_state", details: { reason: "SESSION_STATE" } };
    await expect(uploads.publishFile(place, alice)).rejects.toMatchObject(refused);
    for (const stranger of [bob, otherTenant]) {
      const hidden = { code: "not_found", details: { reason: "SESSION_NOT_FOUND" } };
      await expect(uploads.publishFile(place, stranger)).rejects.toMatchObject(hidden);
    }
    await uploads.cancelSession(place, alice);
    await expect(uploads.publishFile(place, alice)).rejects.toMatchObject(refused);
  });

  it("of a session whose deadline has passed is refused as expired", async () => {
    const { uploads, alice } = opened;
    const deadlines = { idleTtlMs: 300, absoluteTtlMs: undefined, keepTerminalMs: 3_600_000 };
    const session = await startSession(uploads, alice, { deadlines });
    const place = await startFile(uploads, alice, { sessionId: session.id });
    await new Promise((resolve) => setTimeout(resolve, 350));
    await expect(uploads.publishFile(place, alice)).rejects.toMatchObject({
      code: "expired",
      details: { reason: "SESSION_EXPIRED" },
    });
  });
});
