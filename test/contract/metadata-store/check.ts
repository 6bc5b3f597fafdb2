import { expect, it } from "vitest";
import { type BlobRef, createId, type NamedContent } from "../../../src/core/index.js";
import { buildKey } from "../../support/builders.js";
import {
  addFile,
  complete,
  endBy,
  extentOf,
  fileRefOf,
  finishSeat,
  type OpenStore,
  publish,
  refOf,
  sendFile,
  startItem,
  startSession,
  takeSeat,
  useWorld,
} from "./world.js";

const digest = "5f".repeat(32);

export function describeCheck(open: OpenStore): void {
  const world = useWorld(open);
  const listAll = () => world.store.listNamedContents({ after: undefined, limit: 100 });
  const blobOf = (index: number, tenantId = world.tenantId) => ({
    tenantId,
    ref: { algorithm: "sha256", digest: index.toString(16).padStart(64, "0") } as BlobRef,
    sizeBytes: 10,
    blobKey: buildKey(),
  });

  it("content that something names is listed for all tenants by id, page by page, and nothing else is", async () => {
    const { tenantId, userId: ownerId } = world.stranger;
    const ids = new Set<string>();
    for (const of of [{}, { tenantId, ownerId }]) {
      const session = await startSession(world, of);
      for (const name of ["a", "b"]) ids.add((await sendFile(world, session, name)).file.current!.id);
      ids.add((await takeSeat(world, await addFile(world, session))).attempt.id);
    }
    const canceled = await startSession(world);
    await sendFile(world, canceled, "c");
    await endBy(world, canceled, "cancel");
    const sorted = [...ids].sort();
    expect((await listAll()).map(({ id }) => id)).toEqual(sorted);
    const paged: NamedContent[] = [];
    for (let after: string | undefined; ; after = paged.at(-1)?.id) {
      const page = await world.store.listNamedContents({ after, limit: 2 });
      expect(page.length).toBeLessThanOrEqual(2);
      if (page.length === 0) break;
      paged.push(...page);
    }
    expect(paged).toEqual(await listAll());
    const names = new Map(paged.map((content) => [content.tenantId, content.tenantName]));
    expect([...names.values()].sort()).toEqual(["default", "elsewhere"]);
  });

  it("content is told with its extents as they count, its checksums, and all that names it", async () => {
    const item = await startItem(world);
    const { session, keys } = await publish(world, item, { "a.bin": 10 });
    const [file] = (await world.store.listFiles(refOf(session), { limit: 10 })).things;
    const content = file!.current!;
    await world.store.publishFile(fileRefOf(file!), () => ({ ref: { algorithm: "sha256", digest }, content }));
    const found = await world.store.findNamedContent(content.id);
    expect(found).toEqual({
      id: content.id,
      tenantId: world.tenantId,
      tenantName: "default",
      sizeBytes: 10,
      whole: true,
      checksums: content.checksums,
      extents: [{ epoch: 1, offset: 0, length: 10, blobKey: keys[0] }],
      otherSizeBytes: undefined,
      owners: expect.arrayContaining([
        { kind: "file", sessionId: session.id, fileId: file!.id, name: "a.bin" },
        { kind: "item_file", itemId: item.id, name: "a.bin" },
        { kind: "blob", ref: { algorithm: "sha256", digest } },
      ]),
    });
    expect(found?.owners).toHaveLength(3);
    expect(await listAll()).toEqual([found]);
    expect(await world.store.findNamedContent(createId())).toBeUndefined();
  });

  it("an attempt on its way is told up to its offset, and is not whole", async () => {
    const seat = await takeSeat(world, await addFile(world, await startSession(world)));
    await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 7) });
    const next = await takeSeat(world, seat.file);
    await world.store.commitExtent({ attempt: next.ref, extent: extentOf(next, 5) });
    const found = await world.store.findNamedContent(seat.attempt.id);
    expect(found).toMatchObject({ sizeBytes: 12, whole: false, checksums: undefined, owners: [{ kind: "file" }] });
    expect(found?.extents).toEqual(await world.store.listExtents(seat.attempt.id));
    expect(found?.extents.map(({ offset, length }) => [offset, length])).toEqual([
      [0, 7],
      [7, 5],
    ]);
  });

  it("a ready file whose size is not that of its content is told with it", async () => {
    const session = await startSession(world);
    const seat = await takeSeat(world, await addFile(world, session, { sizeBytes: 11 }));
    const file = await finishSeat(world, seat, "accept", { extent: extentOf(seat, 10) });
    expect(await world.store.findNamedContent(file.current!.id)).toMatchObject({ sizeBytes: 10, otherSizeBytes: 11 });
  });

  it("blobs are listed for all tenants by tenant and ref, with where they lie", async () => {
    const mine = [blobOf(1), blobOf(2)];
    const theirs = [
      blobOf(1, world.stranger.tenantId),
      { ...blobOf(3, world.stranger.tenantId), sizeBytes: 0, blobKey: undefined },
    ];
    await world.store.insertBlobs([...mine, ...theirs]);
    const session = await startSession(world);
    const { file, key } = await sendFile(world, session, "a", 10);
    await complete(world, session);
    const content = file.current!;
    await world.store.publishFile(fileRefOf(file), () => ({ ref: { algorithm: "sha256", digest }, content }));
    const all = await world.store.listPlacedBlobs({ after: undefined, limit: 100 });
    const expected = [...mine, ...theirs].map(({ tenantId, ref, sizeBytes, blobKey }) => ({
      tenantId,
      tenantName: tenantId === world.tenantId ? "default" : "elsewhere",
      ref,
      sizeBytes,
      place: blobKey === undefined ? { kind: "nowhere" } : { kind: "key", blobKey },
      content: undefined,
    }));
    const shared = {
      ...{ tenantId: world.tenantId, tenantName: "default", ref: { algorithm: "sha256", digest }, sizeBytes: 10 },
      place: { kind: "content", contentId: content.id },
      content: { sizeBytes: 10, checksums: content.checksums },
    };
    expect(all).toEqual(expect.arrayContaining([...expected, shared]));
    expect(all).toHaveLength(5);
    const order = all.map(({ tenantId, ref }) => `${tenantId} ${ref.digest}`);
    expect(order).toEqual(order.toSorted());
    for (const [at, { tenantId, ref }] of all.entries()) {
      const after = { tenantId, ref: `sha256-${ref.digest}` };
      expect(await world.store.listPlacedBlobs({ after, limit: 2 })).toEqual(all.slice(at + 1, at + 3));
      expect(await world.store.findPlacedBlob({ tenantId, ref })).toEqual(all[at]);
    }
    expect(await world.store.findPlacedBlob({ tenantId: world.tenantId, ref: blobOf(9).ref })).toBeUndefined();
    expect(key).toBeDefined();
  });

  it("copies are the same bytes by digest and size in the same tenant, wherever they lie", async () => {
    const session = await startSession(world);
    const contents = [await sendFile(world, session, "a", 10), await sendFile(world, session, "b", 10)];
    await sendFile(world, session, "c", 11);
    const { tenantId, userId: ownerId } = world.stranger;
    await sendFile(world, await startSession(world, { tenantId, ownerId }), "a", 10);
    const ref: BlobRef = { algorithm: "sha256", digest };
    const blob = { ...blobOf(1), ref };
    await world.store.insertBlobs([blob, { ...blobOf(1, tenantId), ref }, blobOf(2)]);
    const asked = { tenantId: world.tenantId, sha256: digest, sizeBytes: 10, limit: 10 };
    const copies = await world.store.listCopies(asked);
    const expected = [
      { kind: "key", blobKey: blob.blobKey },
      ...contents.map(({ file }) => ({ kind: "content", contentId: file.current!.id })),
    ];
    expect(copies).toEqual(expect.arrayContaining(expected));
    expect(copies).toHaveLength(3);
    expect(await world.store.listCopies({ ...asked, sha256: "0".repeat(64) })).toEqual([]);
  });

  it("whole content gets another key while it has the ones named, and keeps its other rows", async () => {
    const session = await startSession(world);
    const { file, key } = await sendFile(world, session, "a", 10);
    const contentId = file.current!.id;
    const before = await world.store.findNamedContent(contentId);
    const to = buildKey();
    const change = { contentId, sizeBytes: 10, from: [key], to };
    for (const wrong of [
      { sizeBytes: 11 },
      { from: [buildKey()] },
      { from: [key, buildKey()] },
      { contentId: createId() },
    ]) {
      expect(await world.store.replaceContent({ ...change, ...wrong })).toBe(false);
    }
    expect(await world.store.findNamedContent(contentId)).toEqual(before);
    expect(await world.store.replaceContent(change)).toBe(true);
    expect(await world.store.replaceContent(change)).toBe(false);
    const extents = [{ epoch: 1, offset: 0, length: 10, blobKey: to }];
    expect(await world.store.findNamedContent(contentId)).toEqual({ ...before, extents });
    expect(await world.store.findReferencedKeys([key, to])).toEqual(new Set([to]));
  });

  it("an attempt on its way gets no other key", async () => {
    const seat = await takeSeat(world, await addFile(world, await startSession(world)));
    const extent = extentOf(seat, 7);
    await world.store.commitExtent({ attempt: seat.ref, extent });
    const change = { contentId: seat.attempt.id, sizeBytes: 7, from: [extent.blobKey], to: buildKey() };
    expect(await world.store.replaceContent(change)).toBe(false);
    expect(await world.store.listExtents(seat.attempt.id)).toEqual([extent]);
  });

  it("a blob gets another key, or goes, only while it has the one named", async () => {
    const blob = blobOf(1);
    const theirs = blobOf(1, world.stranger.tenantId);
    await world.store.insertBlobs([blob, theirs]);
    const to = buildKey();
    expect(await world.store.replaceBlobKey(blob, theirs.blobKey, to)).toBe(false);
    expect(await world.store.replaceBlobKey(blob, blob.blobKey, to)).toBe(true);
    expect(await world.store.replaceBlobKey(blob, blob.blobKey, buildKey())).toBe(false);
    expect((await world.store.getBlob(blob)).place).toEqual({ kind: "key", blobKey: to });
    expect(await world.store.dropBlob(blob, blob.blobKey)).toBe(false);
    expect(await world.store.dropBlob(blob, to)).toBe(true);
    expect(await world.store.dropBlob(blob, to)).toBe(false);
    expect(await world.store.findPlacedBlob(blob)).toBeUndefined();
    expect((await world.store.getBlob(theirs)).place).toEqual({ kind: "key", blobKey: theirs.blobKey });
  });
}
