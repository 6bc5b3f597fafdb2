import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type BlobKey, type CheckFinding, type CheckNews, createId } from "../../src/core/index.js";
import { put, refOf } from "../support/blobs.js";
import { bodyOf, pseudoRandom } from "../support/bodies.js";
import { check, checkInput, contentOf, cutBytes, flipBit, makeOld, placeOf, removeBytes } from "../support/check.js";
import {
  hookMetadata,
  makeItem,
  type OpenedUploads,
  openUploads,
  startFile,
  startSession,
  storeFile,
} from "../support/uploads.js";

const large = pseudoRandom(300_000, 5);
const small = pseudoRandom(1_000, 6);
const hour = 3_600_000;

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
beforeEach(async () => {
  opened = await opened.renew();
});
afterAll(() => opened.close());

const run = (asked = {}) => check(opened.uploads, opened.operator, asked);
const keyOf = async (fileId: string) => (await contentOf(opened.metadata, fileId)).extents[0]!.blobKey;
const blobKeyOf = async (content: Uint8Array) => {
  const { tenantId } = opened.alice.caller;
  const { place } = await opened.metadata.getBlob({ tenantId, ref: refOf(content) });
  if (place.kind !== "key") throw new Error("the blob has no key of its own");
  return place.blobKey;
};

/** The one finding there is. */
async function findOne(asked = {}): Promise<CheckFinding> {
  const { findings, summary } = await run(asked);
  expect(findings).toHaveLength(1);
  expect(summary.findings).toBe(1);
  return findings[0]!;
}

/** Something of every kind that is as it should be. */
async function fill(): Promise<void> {
  const { uploads, alice, otherTenant } = opened;
  await storeFile(uploads, alice, large);
  await storeFile(uploads, alice, small);
  await storeFile(uploads, alice, new Uint8Array(0));
  const item = await makeItem(opened);
  const session = await startSession(uploads, alice, { itemId: item.id });
  const published = await storeFile(uploads, alice, pseudoRandom(200_000, 7), { sessionId: session.id });
  await uploads.completeSession({ sessionId: session.id }, alice);
  await uploads.publishFile(published, alice);
  const partly = await startFile(uploads, alice);
  await uploads.writePart({ ...partly, offset: 0, body: bodyOf([large.subarray(0, 150_000)]) }, alice);
  await uploads.writePart({ ...partly, offset: 150_000, body: bodyOf([large.subarray(150_000, 160_000)]) }, alice);
  for (const call of [alice, otherTenant]) {
    await put(uploads, call, pseudoRandom(150_000, 8));
    await put(uploads, call, pseudoRandom(500, 9), refOf(pseudoRandom(500, 9), "sha1"));
    await put(uploads, call, new Uint8Array(0));
  }
}

describe("a check of a store that is sound", () => {
  it("finds nothing, and says what it has looked at", async () => {
    await fill();
    const { findings, progress, summary } = await run();
    expect(findings).toEqual([]);
    const files = 2 * 300_000 + 1_000 + 200_000 - 140_000;
    const checked = { checkedContents: 5, checkedBlobs: 7, checkedBytes: files + 2 * 150_500 };
    expect(summary).toEqual({ ...checked, findings: 0, repaired: 0, youngKeys: 0 });
    expect(progress[0]).toEqual({
      phase: "contents",
      checkedContents: 0,
      checkedBlobs: 0,
      checkedBytes: 0,
      cursor: expect.any(String),
    });
  });

  it("reads nothing where content is skipped, and counts the same", async () => {
    await fill();
    const read = await run();
    const blind = opened.restart({
      wrapBlobs: (blobs) => ({
        ...blobs,
        read: () => {
          throw new Error("it was read");
        },
      }),
    });
    const { findings, summary } = await check(blind, opened.operator, { skipContent: true });
    expect([findings, summary]).toEqual([[], read.summary]);
  });

  it("changes nothing, also when it is asked to repair", async () => {
    await fill();
    const before = await opened.metadata.listNamedContents({ after: undefined, limit: 100 });
    expect((await run({ repair: true })).findings).toEqual([]);
    expect(await opened.metadata.listNamedContents({ after: undefined, limit: 100 })).toEqual(before);
  });
});

describe("a check tells once, with all that is known of it,", () => {
  const expectOwned = (finding: CheckFinding, place: { sessionId: string; fileId: string }) => {
    expect(finding.owners).toEqual([{ kind: "file", sessionId: place.sessionId, fileId: place.fileId, name: "a.bin" }]);
    expect(finding.tenant).toEqual({ id: opened.alice.caller.tenantId, name: "default" });
  };

  it.each([
    ["an extent", large],
    ["a record of a pack", small],
  ])("a flipped bit in %s", async (_what, content) => {
    await fill();
    const place = await storeFile(opened.uploads, opened.alice, pseudoRandom(content.length, 50));
    const key = await keyOf(place.fileId);
    await flipBit(opened.dataDir, key, 500);
    const finding = await findOne();
    expect(finding).toMatchObject({
      kind: "content_damaged",
      blobKey: key,
      offset: 0,
      sizeBytes: content.length,
      expected: { algorithm: "sha256", value: refOf(pseudoRandom(content.length, 50)).digest },
      repair: "possible",
    });
    expectOwned(finding, place);
    if (content === large) expect(finding.actual?.value).toMatch(/^[0-9a-f]{64}$/);
    expect((await run({ skipContent: true })).findings).toEqual([]);
  });

  it.each([
    ["an extent that is shorter", large],
    ["a pack that is truncated", small],
  ])("%s", async (_what, content) => {
    const place = await storeFile(opened.uploads, opened.alice, content);
    const key = await keyOf(place.fileId);
    await cutBytes(opened.dataDir, key, 400);
    for (const skipContent of [false, true]) {
      const finding = await findOne({ skipContent });
      expect(finding).toMatchObject({ kind: "bytes_missing", blobKey: key, offset: 0 });
      expect(finding.message).toContain(`end after 400 of ${content.length}`);
      expectOwned(finding, place);
    }
  });

  it("every content in a pack that is cut before it, and no other", async () => {
    const places = [];
    for (let seed = 60; seed < 64; seed++) {
      places.push(await storeFile(opened.uploads, opened.alice, pseudoRandom(1000, seed)));
    }
    await cutBytes(opened.dataDir, await keyOf(places[1]!.fileId), 10);
    const { findings } = await run();
    const lost = findings.map(({ owners: [owner] }) => owner?.kind === "file" && owner.fileId);
    expect(lost.sort()).toEqual(
      places
        .slice(1)
        .map(({ fileId }) => fileId)
        .sort(),
    );
    expect(new Set(findings.map(({ kind }) => kind))).toEqual(new Set(["bytes_missing"]));
  });

  it.each([
    ["an extent that is missing", large],
    ["a pack that is missing", small],
  ])("%s", async (_what, content) => {
    const place = await storeFile(opened.uploads, opened.alice, content);
    const key = await keyOf(place.fileId);
    await removeBytes(opened.dataDir, key);
    for (const skipContent of [false, true]) {
      const finding = await findOne({ skipContent });
      expect(finding).toMatchObject({ kind: "bytes_missing", blobKey: key });
      expectOwned(finding, place);
    }
  });

  it("the second extent of an attempt that is on its way, whose bytes are gone", async () => {
    const { uploads, alice, metadata, dataDir } = opened;
    const place = await startFile(uploads, alice);
    await uploads.writePart({ ...place, offset: 0, body: bodyOf([large.subarray(0, 200_000)]) }, alice);
    await uploads.writePart({ ...place, offset: 200_000, body: bodyOf([large.subarray(200_000, 280_000)]) }, alice);
    const { extents } = await contentOf(metadata, place.fileId);
    await removeBytes(dataDir, extents[1]!.blobKey);
    const finding = await findOne();
    expect(finding).toMatchObject({ kind: "bytes_missing", blobKey: extents[1]!.blobKey, offset: 200_000 });
    expectOwned(finding, place);
  });

  it.each([
    ["a blob whose bytes are gone", removeBytes, "bytes_missing"],
    ["a blob with a flipped bit", flipBit, "content_damaged"],
  ])("%s", async (_what, harm, kind) => {
    await put(opened.uploads, opened.alice, large);
    const key = await blobKeyOf(large);
    await harm(opened.dataDir, key);
    const expected = { algorithm: "sha256", value: refOf(large).digest };
    expect(await findOne()).toMatchObject({
      kind,
      blobKey: key,
      expected,
      owners: [{ kind: "blob", ref: refOf(large) }],
    });
  });

  it("damaged content that a session, an item and a blob share, with all three", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    const session = await startSession(uploads, alice, { itemId: item.id });
    const place = await storeFile(uploads, alice, large, { sessionId: session.id });
    await uploads.completeSession(place, alice);
    await uploads.publishFile(place, alice);
    await flipBit(opened.dataDir, await keyOf(place.fileId));
    const { owners, repair } = await findOne();
    expect(owners.map(({ kind }) => kind).sort()).toEqual(["blob", "file", "item_file"]);
    expect(repair).toBe("impossible");
  });

  it("bytes that are named and lie in the trash", async () => {
    const place = await storeFile(opened.uploads, opened.alice, large);
    const key = await keyOf(place.fileId);
    await opened.blobs.moveToTrash([key]);
    const finding = await findOne();
    expect(finding).toMatchObject({ kind: "bytes_missing", blobKey: key, repair: "possible" });
    expect(finding.message).toContain("trash");
  });

  it("content that is named as whole and has no checksum, and one whose places leave a gap", async () => {
    const place = await storeFile(opened.uploads, opened.alice, large);
    const content = await contentOf(opened.metadata, place.fileId);
    const [extent] = content.extents;
    for (const wrong of [
      { checksums: undefined },
      { extents: [] },
      { extents: [{ ...extent!, offset: 1, length: 299_999 }] },
      { otherSizeBytes: 7 },
    ]) {
      const view = { ...content, ...wrong };
      const told = opened.restart({
        wrapMetadata: (metadata) => ({
          ...metadata,
          listNamedContents: async () => [view],
          findNamedContent: async () => view,
        }),
      });
      const { findings } = await check(told, opened.operator);
      expect(findings, JSON.stringify(wrong)).toHaveLength(1);
      expect(findings[0]).toMatchObject({ kind: "metadata_inconsistent", repair: "impossible" });
      expectOwned(findings[0]!, place);
    }
  });
});

describe("what nothing names", () => {
  const id = createId().replaceAll("-", "");
  const extra = async (path: string, ageMs: number, content: Uint8Array = large) => {
    const full = join(opened.dataDir, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, content);
    await makeOld(full, ageMs);
  };
  const extent = `extents/${id.slice(0, 2)}/${id}`;

  it("is told when it is older than a day, and only counted while it is younger", async () => {
    await fill();
    await extra(extent, 25 * hour);
    expect(await findOne()).toMatchObject({
      kind: "unreferenced",
      blobKey: `e:${id}`,
      sizeBytes: large.length,
      owners: [],
    });
    await extra(extent, 23 * hour);
    const { findings, summary } = await run();
    expect([findings, summary.youngKeys]).toEqual([[], 1]);
  });

  it("is told when it is as old as was asked for", async () => {
    await extra(extent, 2 * hour);
    expect((await run({ unreferencedAfterMs: 3 * hour })).summary).toMatchObject({ findings: 0, youngKeys: 1 });
    expect(await findOne({ unreferencedAfterMs: hour })).toMatchObject({ kind: "unreferenced", repair: "possible" });
  });

  it("is a whole pack, also one in which nothing can be read, and never a part of one", async () => {
    const { uploads, alice, metadata, dataDir } = opened;
    const gone = await storeFile(uploads, alice, small);
    const kept = await storeFile(uploads, alice, pseudoRandom(1000, 70));
    const { path } = placeOf(dataDir, await keyOf(kept.fileId));
    await uploads.removeFile(gone, alice);
    await uploads.sweepRows();
    const later = opened.restart({ clockAheadMs: 25 * hour });
    expect((await check(later, opened.operator)).findings).toEqual([]);
    await uploads.removeFile(kept, alice);
    await uploads.sweepRows();
    expect(await metadata.listNamedContents({ after: undefined, limit: 10 })).toEqual([]);
    await opened.blobs
      .listKeys({ writtenBefore: new Date(Date.now() + hour), batchSize: 1 })
      [Symbol.asyncIterator]()
      .next();
    await extra(`packs/${id}`, 25 * hour, small);
    const { findings } = await check(later, opened.operator);
    const units = findings.map(({ kind, blobKey }) => [kind, blobKey]);
    expect(units.sort()).toEqual(
      [`p:${path.split("/").at(-1)}`, `p:${id}`].sort().map((unit) => ["unreferenced", unit]),
    );
  });

  it("goes to the trash by a repair once it is old enough for the server too, and is told as repaired", async () => {
    await fill();
    await extra(extent, 20 * hour);
    const early = await run({ repair: true, unreferencedAfterMs: hour });
    expect(early.findings).toMatchObject([{ kind: "unreferenced", repair: "possible" }]);
    expect(early.summary.repaired).toBe(0);
    expect(await opened.blobs.findBytes(`e:${id}` as BlobKey)).toMatchObject({ place: "stored" });
    await extra(extent, 25 * hour);
    await extra(`packs/${id}`, 25 * hour, small);
    const { findings, summary } = await run({ repair: true });
    expect(findings.map(({ kind, repair }) => [kind, repair])).toEqual([
      ["unreferenced", "done"],
      ["unreferenced", "done"],
    ]);
    expect(summary.repaired).toBe(2);
    expect(await opened.blobs.findBytes(`e:${id}` as BlobKey)).toMatchObject({ place: "trash" });
    expect((await run()).findings).toEqual([]);
  });

  it("is no finding when the row that names it is there at the second look", async () => {
    await storeFile(opened.uploads, opened.alice, large);
    let asked = 0;
    const hasty = opened.restart({
      clockAheadMs: 25 * hour,
      wrapMetadata: (metadata) => ({
        ...metadata,
        findReferencedKeys: async (keys) => (asked++ === 0 ? new Set() : metadata.findReferencedKeys(keys)),
      }),
    });
    expect((await check(hasty, opened.operator)).findings).toEqual([]);
  });

  it("and is foreign is told whatever its age, and stays where it is in a repair", async () => {
    await extra("packs/notes.txt", 0);
    for (const repair of [false, true]) {
      expect(await findOne({ repair })).toMatchObject({
        kind: "foreign",
        path: "packs/notes.txt",
        repair: "impossible",
      });
    }
  });
});

describe("a check that goes on", () => {
  it("from a cursor checks what comes behind it, once", async () => {
    await fill();
    const cursors = new Map<string, CheckNews & { kind: "progress" }>();
    const eager = opened.restart({
      wrapBlobs: (blobs) => ({
        ...blobs,
        findBytes: (key) => {
          skip();
          return blobs.findBytes(key);
        },
      }),
    });
    const now = performance.now.bind(performance);
    let ahead = 0;
    // As if a second had passed with every key.
    const skip = () => {
      ahead += 2_000;
    };
    performance.now = () => now() + ahead;
    try {
      for await (const news of eager.checkStore(checkInput(), opened.operator)) {
        if (news.kind === "progress") cursors.set(news.progress.cursor, news);
      }
    } finally {
      performance.now = now;
    }
    const whole = (await run()).summary;
    expect(cursors.size).toBeGreaterThan(6);
    for (const [cursor, { progress }] of cursors) {
      const { summary, progress: told } = await run({ cursor });
      expect(summary.checkedContents).toBe(whole.checkedContents - progress.checkedContents);
      expect(summary.checkedBlobs).toBe(whole.checkedBlobs - progress.checkedBlobs);
      expect(told[0]).toMatchObject({ phase: progress.phase, cursor });
    }
  });

  it.each(["x", btoa("contents 1"), btoa("blobs 1 2"), btoa("blobs 1"), btoa("store 1"), btoa("toString")])(
    "from %j, which no check has told, is refused with PAGE_INVALID",
    async (cursor) => {
      const refusal = { code: "invalid", details: { reason: "PAGE_INVALID" } };
      await expect(run({ cursor })).rejects.toMatchObject(refusal);
    },
  );
});

describe("who may check, and when", () => {
  it("is nobody but who keeps all tenants", async () => {
    for (const call of [opened.alice, opened.admin, opened.otherTenant]) {
      await expect(check(opened.uploads, call)).rejects.toMatchObject({ code: "denied" });
    }
  });

  it("while another one runs, it is busy; afterwards it is not, however that one ended", async () => {
    const { uploads, operator } = opened;
    const busy = { code: "busy", details: { reason: "CHECK_RUNNING" } };
    for (const end of ["left", "aborted"]) {
      const controller = new AbortController();
      const first = uploads.checkStore(checkInput(), { ...operator, signal: controller.signal });
      await first.next();
      await expect(run()).rejects.toMatchObject(busy);
      if (end === "left") await first.return();
      controller.abort(new Error("gone"));
      if (end === "aborted") await expect(first.next()).rejects.toThrow("gone");
      await run();
    }
  });

  it("and the store's medium is away, that is said instead of a finding for everything", async () => {
    await fill();
    const away = opened.restart({
      wrapMetadata: hookMetadata({
        after: async (deed) => {
          if (deed === "listNamedContents") await rename(join(opened.dataDir, "extents"), join(opened.dataDir, "away"));
        },
      }),
    });
    const checking = check(away, opened.operator, { repair: true });
    await expect(checking).rejects.toMatchObject({ code: "unavailable", details: { reason: "STORAGE_UNAVAILABLE" } });
  });
});
