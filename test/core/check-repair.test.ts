import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CheckFinding, MetadataStore } from "../../src/core/index.js";
import { isStored, put, readBack as readBlob, refOf } from "../support/blobs.js";
import { bodyOf, pseudoRandom, readWhole } from "../support/bodies.js";
import {
  check,
  contentOf,
  cutBytes,
  flipBit,
  makeOld,
  placeOf as placeInStore,
  removeBytes,
} from "../support/check.js";
import { createFakeSource, createGate, contentOf as serveContent } from "../support/content-source.js";
import {
  type FilePlace,
  hookMetadata,
  makeItem,
  type OpenedUploads,
  openUploads,
  readBack,
  sendFile,
  startFile,
  startSession,
  storeFile,
} from "../support/uploads.js";

const large = pseudoRandom(300_000, 5);
const small = pseudoRandom(1_000, 6);

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
beforeEach(async () => {
  opened = await opened.renew();
});
afterAll(() => opened.close());

const keyOf = async (fileId: string) => (await contentOf(opened.metadata, fileId)).extents[0]!.blobKey;
const placeOf = async (content: Uint8Array) => {
  const { tenantId } = opened.alice.caller;
  return (await opened.metadata.getBlob({ tenantId, ref: refOf(content) })).place;
};
const blobKeyOf = async (content: Uint8Array) => {
  const place = await placeOf(content);
  if (place.kind !== "key") throw new Error("the blob has no key of its own");
  return place.blobKey;
};

async function repair(uploads = opened.uploads): Promise<readonly CheckFinding[]> {
  const { findings, summary } = await check(uploads, opened.operator, { repair: true });
  expect(summary.findings).toBe(findings.length);
  expect(summary.repaired).toBe(findings.filter((finding) => finding.repair === "done").length);
  return findings;
}
async function assertSound(): Promise<void> {
  expect((await check(opened.uploads, opened.operator)).findings).toEqual([]);
}

describe("a repair of bytes that are named and lie in the trash", () => {
  it.each([
    ["an extent", large],
    ["a pack", small],
  ])("brings %s back", async (_what, content) => {
    const { uploads, alice, blobs } = opened;
    const place = await storeFile(uploads, alice, content);
    const key = await keyOf(place.fileId);
    for await (const _ of blobs.listKeys({ writtenBefore: new Date(Date.now() + 3_600_000), batchSize: 9 }));
    await blobs.moveToTrash([key]);
    expect(await blobs.findBytes(key)).toMatchObject({ place: "trash" });
    expect(await repair()).toMatchObject([{ kind: "bytes_missing", repair: "done" }]);
    expect(await blobs.findBytes(key)).toMatchObject({ place: "stored" });
    await assertSound();
  });
});

describe("a repair of damaged content of which the tenant has a sound copy", () => {
  it.each([
    ["an extent with a flipped bit", large, flipBit],
    ["an extent that is missing", large, removeBytes],
    ["an extent that was cut", large, (dir: string, key: never) => cutBytes(dir, key, 7)],
    ["a record with a flipped bit", small, flipBit],
  ] as const)("writes %s anew, for whoever names it, and puts the old bytes away", async (_what, content, harm) => {
    const { uploads, alice, blobs } = opened;
    const item = await makeItem(opened);
    const session = await startSession(uploads, alice, { itemId: item.id });
    const place = await storeFile(uploads, alice, content, { sessionId: session.id });
    await uploads.completeSession(place, alice);
    await uploads.publishFile(place, alice);
    const copy = await storeFile(uploads, alice, content);
    const key = await keyOf(place.fileId);
    await harm(opened.dataDir, key as never);
    const [finding, ...more] = await repair();
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ repair: "done", blobKey: key });
    expect(finding?.repairMessage).toContain("copy");
    expect(await keyOf(place.fileId)).not.toBe(key);
    expect(await keyOf(place.fileId)).not.toBe(await keyOf(copy.fileId));
    expect(Buffer.compare(await readBack(uploads, alice, place), content)).toBe(0);
    const { body } = await uploads.readItemFile({ itemId: item.id, name: place.name }, alice);
    expect(Buffer.compare(await readWhole(body), content)).toBe(0);
    expect(Buffer.compare(await readBlob(uploads, alice, refOf(content)), content)).toBe(0);
    if (key.startsWith("e:")) expect((await blobs.findBytes(key))?.place).not.toBe("stored");
    await assertSound();
  });

  it("writes content of several extents as one", async () => {
    const { uploads, alice, metadata } = opened;
    const copy = await storeFile(uploads, alice, large);
    const place = await startFile(uploads, alice);
    await uploads.writePart({ ...place, offset: 0, body: bodyOf([large.subarray(0, 150_000)]) }, alice);
    const rest = { ...place, offset: 150_000, body: bodyOf([large.subarray(150_000)]) };
    await uploads.writePart({ ...rest, ending: () => ({ finish: true }) }, alice);
    const { extents } = await contentOf(metadata, place.fileId);
    expect(extents).toHaveLength(2);
    await removeBytes(opened.dataDir, extents[1]!.blobKey);
    expect(await repair()).toMatchObject([{ kind: "bytes_missing", repair: "done", offset: 150_000 }]);
    expect((await contentOf(metadata, place.fileId)).extents).toMatchObject([{ offset: 0, length: 300_000 }]);
    expect(Buffer.compare(await readBack(uploads, alice, place), large)).toBe(0);
    expect(Buffer.compare(await readBack(uploads, alice, copy), large)).toBe(0);
    expect((await opened.blobs.findBytes(extents[0]!.blobKey))?.place).toBe("trash");
    await assertSound();
  });

  it.each([
    ["a blob from a file", true],
    ["a file from a blob", false],
  ])("writes %s anew", async (_what, ofBlob) => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, large);
    await put(uploads, alice, large);
    const damaged = ofBlob ? await blobKeyOf(large) : await keyOf(place.fileId);
    await flipBit(opened.dataDir, damaged, 1000);
    expect(await repair()).toMatchObject([{ kind: "content_damaged", blobKey: damaged, repair: "done" }]);
    expect(Buffer.compare(await readBack(uploads, alice, place), large)).toBe(0);
    expect(Buffer.compare(await readBlob(uploads, alice, refOf(large)), large)).toBe(0);
    expect((await opened.blobs.findBytes(damaged))?.place).toBe("trash");
    await assertSound();
  });

  it("takes no copy that is damaged itself, and none of another tenant (P9)", async () => {
    const { uploads, alice, otherTenant, blobs, metadata } = opened;
    const places = [await storeFile(uploads, alice, large), await storeFile(uploads, alice, large)];
    const theirs = await storeFile(uploads, otherTenant, large);
    await put(uploads, otherTenant, large);
    for (const { fileId } of places) await flipBit(opened.dataDir, await keyOf(fileId), 9);
    const findings = await repair();
    expect(findings.map(({ repair, repairMessage }) => [repair, repairMessage.includes("failed")])).toEqual([
      ["done", true],
      ["done", true],
    ]);
    for (const { sessionId, fileId } of places) {
      expect((await uploads.getFile({ sessionId, fileId }, alice)).file.state).toBe("failed");
    }
    expect(Buffer.compare(await readBack(uploads, otherTenant, theirs), large)).toBe(0);
    await uploads.sweepRows();
    const stored = [];
    for await (const pieces of blobs.listStored({ batchSize: 100 }))
      stored.push(...pieces.flatMap(({ key }) => key ?? []));
    const named = await metadata.findReferencedKeys(stored);
    // What was begun from damaged copies lies in the trash; the damaged bytes are the sweeper's.
    expect(stored.filter((key) => !named.has(key))).toHaveLength(2);
  });

  it("passes over a copy of which nobody knows where all of it lies", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, large);
    const copy = await storeFile(uploads, alice, large);
    const damaged = await contentOf(opened.metadata, place.fileId);
    const { id } = await contentOf(opened.metadata, copy.fileId);
    await flipBit(opened.dataDir, damaged.extents[0]!.blobKey);
    const torn = opened.restart({
      wrapMetadata: (metadata) => ({
        ...metadata,
        async listExtents(contentId) {
          const extents = await metadata.listExtents(contentId);
          return contentId === id ? extents.map((extent) => ({ ...extent, offset: 1, length: 299_999 })) : extents;
        },
      }),
    });
    expect(await repair(torn)).toMatchObject([{ kind: "content_damaged", repair: "done" }]);
    expect((await uploads.getFile(place, alice)).file.state).toBe("failed");
  });

  it("leaves everything as it is when the content is replaced meanwhile, and its copy for the sweeper", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, large);
    await storeFile(uploads, alice, large);
    await flipBit(opened.dataDir, await keyOf(place.fileId));
    const fresh = pseudoRandom(250_000, 77);
    const raced = opened.restart({
      wrapMetadata: hookMetadata({
        async before(deed) {
          if (deed !== "replaceContent") return;
          const part = { ...place, offset: 0, restart: true, body: bodyOf([fresh]), ending: () => ({ finish: true }) };
          await uploads.writePart(part, alice);
          await uploads.sweepRows();
        },
      }),
    });
    expect(await repair(raced)).toEqual([]);
    expect(Buffer.compare(await readBack(uploads, alice, place), fresh)).toBe(0);
    await assertSound();
  });
});

describe("a repair of damaged content without a copy", () => {
  it("fails a ready file of an active session, with an event and a reason, and what is sent again is whole", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, large);
    await flipBit(opened.dataDir, await keyOf(place.fileId));
    expect(await repair()).toMatchObject([{ kind: "content_damaged", repair: "done" }]);
    const { file, session } = await uploads.getFile(place, alice);
    expect(file).toMatchObject({ state: "failed", failure: { reason: "content_damaged" }, current: undefined });
    const events = await uploads.listSessionEvents({ ...place, after: 0 }, alice);
    expect(events.at(-1)).toMatchObject({
      number: session.lastEvent,
      type: "file.failed",
      details: { fileId: place.fileId, name: place.name, reason: "content_damaged" },
    });
    await sendFile(uploads, alice, place, large);
    expect(Buffer.compare(await readBack(uploads, alice, place), large)).toBe(0);
    await uploads.completeSession(place, alice);
    await assertSound();
  });

  it("fails a file that is on its way, and its writer is told", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    await uploads.writePart({ ...place, offset: 0, body: bodyOf([large.subarray(0, 200_000)]) }, alice);
    await removeBytes(opened.dataDir, await keyOf(place.fileId));
    let goOn = () => {};
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    async function* slowly() {
      yield large.subarray(200_000, 250_000);
      await waiting;
      yield large.subarray(250_000);
    }
    const writing = uploads.writePart({ ...place, offset: 200_000, body: slowly() }, alice).catch((error) => error);
    await expect.poll(async () => (await uploads.getFile(place, alice)).file.running?.epoch).toBe(2);
    expect(await repair()).toMatchObject([{ kind: "bytes_missing", repair: "done", offset: 0 }]);
    goOn();
    expect(await writing).toMatchObject({ code: "superseded" });
    expect((await uploads.getFile(place, alice)).file).toMatchObject({ state: "failed", running: undefined });
    await sendFile(uploads, alice, place, large);
    expect(Buffer.compare(await readBack(uploads, alice, place), large)).toBe(0);
    await assertSound();
  });

  it("lets a damaged former content go, and the newer attempt under way goes on", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, large);
    const key = await keyOf(place.fileId);
    const fresh = pseudoRandom(250_000, 78);
    const part = { ...place, offset: 0, restart: true, body: bodyOf([fresh.subarray(0, 200_000)]) };
    await uploads.writePart(part, alice);
    await removeBytes(opened.dataDir, key);
    expect(await repair()).toMatchObject([{ blobKey: key, repair: "done" }]);
    expect((await uploads.getFile(place, alice)).file).toMatchObject({ state: "transferring", current: undefined });
    const rest = {
      ...place,
      offset: 200_000,
      body: bodyOf([fresh.subarray(200_000)]),
      ending: () => ({ finish: true }),
    };
    await uploads.writePart(rest, alice);
    expect(Buffer.compare(await readBack(uploads, alice, place), fresh)).toBe(0);
    await assertSound();
  });

  it.each(["a done session", "an item"])("leaves that of %s as it is, and says so every time", async (what) => {
    const { uploads, alice } = opened;
    const item = what === "an item" ? await makeItem(opened) : undefined;
    const session = await startSession(uploads, alice, item && { itemId: item.id });
    const place = await storeFile(uploads, alice, large, { sessionId: session.id });
    await uploads.completeSession(place, alice);
    const before = await contentOf(opened.metadata, place.fileId);
    await flipBit(opened.dataDir, before.extents[0]!.blobKey);
    for (let round = 0; round < 2; round++) {
      expect(await repair()).toMatchObject([{ kind: "content_damaged", repair: "impossible", repairMessage: "" }]);
      expect(await contentOf(opened.metadata, place.fileId)).toEqual(before);
    }
  });

  it.each(["sha256", "sha1"] as const)(
    "takes a lost blob named by %s out, and its next upload stores it again",
    async (algorithm) => {
      const { uploads, alice, metadata, dataDir } = opened;
      const ref = refOf(large, algorithm);
      await put(uploads, alice, large, ref);
      const { place } = await metadata.getBlob({ tenantId: alice.caller.tenantId, ref });
      if (place.kind !== "key") throw new Error("the blob has no key of its own");
      await removeBytes(dataDir, place.blobKey);
      expect((await put(uploads, alice, large, ref)).applied).toBe(false);
      const [finding] = await repair();
      expect(finding).toMatchObject({ kind: "bytes_missing", repair: "done" });
      expect(finding?.repairMessage).toContain("again");
      expect(await isStored(uploads, alice, ref)).toBe(false);
      expect((await put(uploads, alice, large, ref)).applied).toBe(true);
      expect(Buffer.compare(await readBlob(uploads, alice, ref), large)).toBe(0);
      await assertSound();
    },
  );
});

/** Lets this happen once, right before a repair does such a deed. */
function racing(deed: keyof MetadataStore, happen: () => Promise<unknown>) {
  let pending: typeof happen | undefined = happen;
  const uploads = opened.restart({
    wrapMetadata: hookMetadata({
      async before(asked) {
        if (asked !== deed) return;
        const now = pending;
        pending = undefined;
        await now?.();
      },
    }),
  });
  return { uploads, happened: () => pending === undefined };
}

describe("a repair beside", () => {
  it.each(["completes", "is canceled"])("a session that %s meanwhile leaves its file to it", async (how) => {
    const { uploads, alice, metadata } = opened;
    const place = await storeFile(uploads, alice, large);
    await flipBit(opened.dataDir, await keyOf(place.fileId));
    const end = () =>
      how === "completes" ? uploads.completeSession(place, alice) : uploads.cancelSession(place, alice);
    const raced = racing("changeFile", end);
    const findings = await repair(raced.uploads);
    expect(raced.happened()).toBe(true);
    if (how === "is canceled") {
      expect(findings).toEqual([]);
    } else {
      expect(findings).toMatchObject([{ kind: "content_damaged", repair: "impossible" }]);
      expect((await contentOf(metadata, place.fileId)).whole).toBe(true);
    }
  });

  it("someone who removes and stores a lost blob anew leaves the new one", async () => {
    const { uploads, alice, admin } = opened;
    await put(uploads, alice, large);
    await removeBytes(opened.dataDir, await blobKeyOf(large));
    const raced = racing("dropBlob", async () => {
      await uploads.removeBlobs({ refs: [refOf(large)] }, admin);
      await put(uploads, alice, large);
    });
    await repair(raced.uploads);
    expect(raced.happened()).toBe(true);
    expect(Buffer.compare(await readBlob(uploads, alice, refOf(large)), large)).toBe(0);
    await assertSound();
  });

  it("someone who removes and stores a damaged blob anew, of which there is a copy, leaves the new one", async () => {
    const { uploads, alice, admin } = opened;
    await storeFile(uploads, alice, large);
    await put(uploads, alice, large);
    await flipBit(opened.dataDir, await blobKeyOf(large));
    let fresh = "";
    const raced = racing("replaceBlobKey", async () => {
      await uploads.removeBlobs({ refs: [refOf(large)] }, admin);
      await put(uploads, alice, large);
      fresh = await blobKeyOf(large);
    });
    await repair(raced.uploads);
    expect(await blobKeyOf(large)).toBe(fresh);
    expect(Buffer.compare(await readBlob(uploads, alice, refOf(large)), large)).toBe(0);
    await assertSound();
  });

  it("a sender of the same bytes takes none of theirs: what is named by then comes back, what is young stays", async () => {
    const { uploads, alice, blobs, metadata } = opened;
    const writer = await blobs.createExtent();
    await writer.write([large]);
    await writer.sync();
    await makeOld(placeInStore(opened.dataDir, writer.key).path, 25 * 3_600_000);
    const place = await startFile(uploads, alice);
    let asked = 0;
    const late = opened.restart({
      wrapMetadata: (store) => ({
        ...store,
        // It is committed after the repair has asked for the first time, and before it asks again.
        async findReferencedKeys(keys) {
          const answer = await store.findReferencedKeys(keys);
          if (keys.includes(writer.key) && ++asked === 2) named.add(writer.key);
          return new Set([...answer, ...keys.filter((key) => named.has(key))]);
        },
      }),
    });
    const named = new Set<string>();
    expect(await repair(late)).toEqual([]);
    expect(asked).toBeGreaterThan(2);
    expect(await blobs.findBytes(writer.key)).toMatchObject({ place: "stored" });
    await writer.write([large]);
    await writer.sync();
    await writer.close();
    expect(await blobs.findBytes(writer.key)).toMatchObject({ place: "stored", sizeBytes: 600_000 });
    expect((await metadata.listExtents(place.fileId)).length).toBe(0);
  });

  it("a sender whose extent is being written while everything nothing names is moved keeps what is young", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: large.length });
    let findings: readonly CheckFinding[] | undefined;
    async function* slowly() {
      yield large.subarray(0, 200_000);
      // The extent is there, and no row names it.
      findings = await repair();
      yield large.subarray(200_000);
    }
    await uploads.writePart({ ...place, offset: 0, body: slowly() }, alice);
    expect(findings).toEqual([]);
    expect(Buffer.compare(await readBack(uploads, alice, place), large)).toBe(0);
    await assertSound();
  });
});

describe("a repair of damaged content that was fetched", () => {
  const fetched = async (fake = createFakeSource()) => {
    const { uploads, alice } = opened;
    const uri = fake.serve(async (request, signal) => serveContent(large, request, signal));
    const puller = uploads.createPuller({ source: fake.source, onEnd: () => undefined, onError: () => undefined });
    const spec = { name: "a.bin", source: { uri } };
    const place = await startFile(uploads, alice, spec);
    return { fake, puller, spec, place };
  };
  const pulled = async (place: FilePlace) => {
    for (;;) {
      const { file } = await opened.uploads.getFile(place, opened.alice);
      if (file.pull === undefined) return file;
      await sleep(10);
    }
  };

  it("fails the file, which is fetched again once it is declared again", async () => {
    const { uploads, alice } = opened;
    const { puller, spec, place } = await fetched();
    puller.start();
    await pulled(place);
    await flipBit(opened.dataDir, await keyOf(place.fileId));
    expect(await repair()).toMatchObject([{ repair: "done" }]);
    const { file } = await uploads.getFile(place, alice);
    expect(file).toMatchObject({ state: "failed", pull: undefined, failure: { reason: "content_damaged" } });
    expect(file.failure?.message).toContain("declare it again");
    await uploads.removeFile(place, alice);
    const again = await startFile(uploads, alice, { ...spec, sessionId: place.sessionId });
    expect(await pulled({ ...again })).toMatchObject({ state: "ready" });
    expect(Buffer.compare(await readBack(uploads, alice, again), large)).toBe(0);
    await puller.stop();
    await assertSound();
  });

  it("fails a file that is half fetched, and nobody goes on with it", async () => {
    const { uploads, alice } = opened;
    const gate = createGate();
    const fake = createFakeSource();
    const uri = fake.serve(async (request, signal) =>
      serveContent(large, request, signal, { at: { offset: 200_000, run: gate.wait } }),
    );
    const ends: unknown[] = [];
    const puller = uploads.createPuller({
      source: fake.source,
      onEnd: (_pull, end) => void ends.push(end),
      onError: () => undefined,
    });
    puller.start();
    const place = await startFile(uploads, alice, { source: { uri } });
    while ((await uploads.getFile(place, alice)).file.running?.offset !== 200_000) await sleep(10);
    await removeBytes(opened.dataDir, await keyOf(place.fileId));
    expect(await repair()).toMatchObject([{ repair: "done" }]);
    while (ends.length === 0) await sleep(10);
    expect(ends).toEqual(["left"]);
    expect((await uploads.getFile(place, alice)).file).toMatchObject({
      state: "failed",
      running: undefined,
      pull: undefined,
      failure: { reason: "content_damaged" },
    });
    await puller.stop();
    expect(fake.requests).toHaveLength(1);
    await assertSound();
  });
});
