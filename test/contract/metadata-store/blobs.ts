import { expect, it } from "vitest";
import {
  type BlobName,
  type BlobRef,
  createId,
  type FileRef,
  formatBlobRef,
  type MetadataStore,
  type NewBlob,
  type SessionFile,
} from "../../../src/core/index.js";
import { buildKey } from "../../support/builders.js";
import {
  codeOf,
  complete,
  fileRefOf,
  type OpenStore,
  publish,
  refOf,
  refusal,
  sendFile,
  startItem,
  startSession,
  sweepContent,
  useWorld,
  type World,
} from "./world.js";

/** A ref that nobody else has, or one that sorts by `digit`. */
export function buildRef(algorithm: BlobRef["algorithm"] = "sha256", digit?: string): BlobRef {
  const length = { sha1: 40, sha224: 56, sha256: 64 }[algorithm];
  const random = (createId() + createId()).replaceAll("-", "");
  return { algorithm, digest: (digit === undefined ? random : digit.repeat(64)).slice(0, length) };
}

const newBlob = (world: World, of: Partial<NewBlob> = {}): NewBlob => ({
  tenantId: world.tenantId,
  ref: buildRef(),
  sizeBytes: 10,
  blobKey: buildKey(),
  ...of,
});

/** Publishing as the service decides it, without its checks. */
function publishAs(store: MetadataStore, file: FileRef, ref: BlobRef) {
  return store.publishFile(file, (view) => ({ ref, content: view.file.current! }));
}

/** A done session without an item, its only file, and the key of the file's bytes. */
async function startDone(world: World) {
  const session = await startSession(world);
  const { file, key } = await sendFile(world, session, "a");
  await complete(world, session);
  return { session, file, key };
}

const contentOf = (file: SessionFile) => file.current!.id;

export function describeBlobs(open: OpenStore): void {
  const world = useWorld(open);
  const nameOf = ({ tenantId, ref }: NewBlob): BlobName => ({ tenantId, ref });
  const findOne = async (name: BlobName) => (await world.store.findBlobs([name]))[0];
  const refsOf = async (options: { after?: string; limit?: number } = {}) =>
    (await world.store.listBlobs(world.tenantId, { limit: 100, ...options })).map(({ ref }) => formatBlobRef(ref));

  it("a blob is found as it was inserted, with the time of its insertion", async () => {
    for (const algorithm of ["sha1", "sha224", "sha256"] as const) {
      const blob = newBlob(world, { ref: buildRef(algorithm), sizeBytes: 2 ** 53 - 1 });
      const [stored] = await world.store.insertBlobs([blob]);
      expect(stored).toEqual({
        applied: true,
        blob: { ref: blob.ref, sizeBytes: 2 ** 53 - 1, createdAt: expect.any(Date) },
      });
      expect(Math.abs(stored!.blob.createdAt.getTime() - Date.now())).toBeLessThan(60_000);
      expect(await findOne(blob)).toEqual(stored!.blob);
      expect(await world.store.getBlob(nameOf(blob))).toEqual({
        blob: stored!.blob,
        place: { kind: "key", blobKey: blob.blobKey },
      });
    }
  });

  it("blobs are answered in the order in which they were asked for, of many tenants, repeated, and missing", async () => {
    const ref = buildRef();
    const mine = newBlob(world, { ref });
    const theirs = newBlob(world, { ref, tenantId: world.stranger.tenantId, sizeBytes: 20 });
    const other = newBlob(world, { sizeBytes: 30 });
    const stored = await world.store.insertBlobs([other, mine, theirs, mine]);
    expect(stored.map(({ blob, applied }) => [blob.sizeBytes, applied])).toEqual([
      [30, true],
      [10, true],
      [20, true],
      [10, false],
    ]);
    const missing = { tenantId: world.stranger.tenantId, ref: other.ref };
    const found = await world.store.findBlobs(
      [theirs, missing, mine, other, theirs].map(({ tenantId, ref }) => ({ tenantId, ref })),
    );
    expect(found.map((blob) => blob?.sizeBytes)).toEqual([20, undefined, 10, 30, 20]);
    expect(await world.store.findBlobs([])).toEqual([]);
    expect(await world.store.insertBlobs([])).toEqual([]);
  });

  it("refs of different algorithms are different blobs", async () => {
    const blobs = (["sha1", "sha224", "sha256"] as const).map((algorithm) =>
      newBlob(world, { ref: buildRef(algorithm, "a") }),
    );
    expect((await world.store.insertBlobs(blobs)).every(({ applied }) => applied)).toBe(true);
  });

  it("a blob that is there stays as it is, bytes and time (P4)", async () => {
    const first = newBlob(world);
    const [stored] = await world.store.insertBlobs([first]);
    const again = await world.store.insertBlobs([{ ...first, blobKey: buildKey() }, newBlob(world)]);
    expect(again.map(({ applied }) => applied)).toEqual([false, true]);
    expect(again[0]!.blob).toEqual(stored!.blob);
    expect((await world.store.getBlob(nameOf(first))).place).toEqual({ kind: "key", blobKey: first.blobKey });
  });

  it("the blob of no bytes lies nowhere, and every other one somewhere", async () => {
    const empty = newBlob(world, { sizeBytes: 0, blobKey: undefined });
    await world.store.insertBlobs([empty]);
    expect((await world.store.getBlob(nameOf(empty))).place).toEqual({ kind: "nowhere" });
    await expect(world.store.insertBlobs([newBlob(world, { blobKey: undefined })])).rejects.toThrow();
    await expect(world.store.insertBlobs([newBlob(world, { sizeBytes: 0 })])).rejects.toThrow();
  });

  it("of blobs of which one cannot be stored none is", async () => {
    const good = newBlob(world);
    await expect(world.store.insertBlobs([good, newBlob(world, { sizeBytes: -1 })])).rejects.toThrow();
    expect(await findOne(good)).toBeUndefined();
  });

  it("a key is of one blob only", async () => {
    const blobKey = buildKey();
    await world.store.insertBlobs([newBlob(world, { blobKey })]);
    await expect(world.store.insertBlobs([newBlob(world, { blobKey })])).rejects.toThrow();
  });

  it("blobs are listed in the byte order of their refs, strictly after any text, and each tenant's alone", async () => {
    const refs = [
      buildRef("sha1", "0"),
      buildRef("sha1", "f"),
      buildRef("sha224", "9"),
      buildRef("sha224", "a"),
      buildRef("sha256", "0"),
      buildRef("sha256", "b"),
    ];
    await world.store.insertBlobs([...refs].reverse().map((ref) => newBlob(world, { ref })));
    await world.store.insertBlobs([newBlob(world, { tenantId: world.stranger.tenantId })]);
    const texts = refs.map(formatBlobRef);
    expect(await refsOf()).toEqual(texts);
    expect(await refsOf({ limit: 2 })).toEqual(texts.slice(0, 2));
    const afters = [
      "",
      " ",
      "S",
      "sha",
      "sha1",
      "sha1-",
      "sha1-0",
      "sha2",
      "sha224-99",
      "sha224-a",
      "sha256-",
      "t",
      "é",
      "\uffff",
    ];
    for (const after of [
      ...afters,
      ...texts,
      ...texts.map((text) => text.slice(0, -1)),
      ...texts.map((text) => `${text}0`),
    ]) {
      const later = texts.filter((text) => Buffer.compare(Buffer.from(text), Buffer.from(after)) > 0);
      expect(await refsOf({ after }), after).toEqual(later);
    }
  });

  it("removed are those that are there, and of this tenant only; their bytes are named no more", async () => {
    const [one, two, three] = [newBlob(world), newBlob(world), newBlob(world)];
    const theirs = newBlob(world, { ref: one.ref, tenantId: world.stranger.tenantId });
    await world.store.insertBlobs([one, two, three, theirs]);
    const keys = [one, two, three, theirs].map(({ blobKey }) => blobKey!);
    expect(await world.store.findReferencedKeys([...keys, buildKey()])).toEqual(new Set(keys));
    expect(await world.store.removeBlobs(world.tenantId, [one.ref, buildRef(), two.ref, one.ref])).toBe(2);
    expect(await world.store.removeBlobs(world.tenantId, [one.ref, two.ref])).toBe(0);
    expect(await world.store.removeBlobs(world.tenantId, [])).toBe(0);
    await expect(world.store.getBlob(nameOf(one))).rejects.toEqual(refusal("not_found", "BLOB_NOT_FOUND"));
    expect(await refsOf()).toEqual([formatBlobRef(three.ref)]);
    expect(await world.store.findReferencedKeys(keys)).toEqual(new Set([three.blobKey, theirs.blobKey]));
    const [again] = await world.store.insertBlobs([{ ...one, blobKey: buildKey() }]);
    expect(again!.applied).toBe(true);
  });

  it("a published file's content is the blob's too, and stays when session and file go (P8)", async () => {
    const { session, file, key } = await startDone(world);
    const ref = buildRef();
    const { blob, applied } = await publishAs(world.store, fileRefOf(file), ref);
    expect([blob.ref, blob.sizeBytes, applied]).toEqual([ref, 10, true]);
    const name = { tenantId: world.tenantId, ref };
    expect(await world.store.getBlob(name)).toEqual({ blob, place: { kind: "content", contentId: contentOf(file) } });
    await world.store.deleteSession(refOf(session), () => {});
    await sweepContent(world.store);
    expect(await world.store.listExtents(contentOf(file))).toHaveLength(1);
    expect(await world.store.findReferencedKeys([key])).toEqual(new Set([key]));
    expect(await world.store.removeBlobs(world.tenantId, [ref])).toBe(1);
    await sweepContent(world.store);
    expect(await world.store.listExtents(contentOf(file))).toEqual([]);
    expect(await world.store.findReferencedKeys([key])).toEqual(new Set());
  });

  it("removing a published blob touches nothing of the session and the item that have the content", async () => {
    const item = await startItem(world);
    const { session, keys } = await publish(world, item, { a: 10 });
    const { things } = await world.store.listFiles(refOf(session), { limit: 1 });
    const ref = buildRef();
    await publishAs(world.store, fileRefOf(things[0]!), ref);
    await world.store.removeBlobs(world.tenantId, [ref]);
    await sweepContent(world.store);
    expect(await world.store.findReferencedKeys(keys)).toEqual(new Set(keys));
    await world.store.deleteSession(refOf(session), () => {});
    await sweepContent(world.store);
    expect(await world.store.findReferencedKeys(keys)).toEqual(new Set(keys));
  });

  it("publishing again, or under a ref that is there, changes nothing (P4)", async () => {
    const { file } = await startDone(world);
    const ref = buildRef();
    const first = await publishAs(world.store, fileRefOf(file), ref);
    expect(await publishAs(world.store, fileRefOf(file), ref)).toEqual({ ...first, applied: false });
    const own = newBlob(world);
    await world.store.insertBlobs([own]);
    expect((await publishAs(world.store, fileRefOf(file), own.ref)).applied).toBe(false);
    expect((await world.store.getBlob(nameOf(own))).place.kind).toBe("key");
  });

  it("a file without bytes is published as the blob that lies nowhere", async () => {
    const session = await startSession(world);
    const { file } = await sendFile(world, session, "a", 10);
    const empty = { ...file.current!, sizeBytes: 0 };
    const ref = buildRef();
    const { blob } = await world.store.publishFile(fileRefOf(file), () => ({ ref, content: empty }));
    expect(blob.sizeBytes).toBe(0);
    expect((await world.store.getBlob({ tenantId: world.tenantId, ref })).place).toEqual({ kind: "nowhere" });
  });

  it("what the decision to publish throws comes out, and nothing is published", async () => {
    const { session, file } = await startDone(world);
    const refused = new Error("not this one");
    const publishing = world.store.publishFile(fileRefOf(file), (view, now) => {
      expect([view.session.state, view.file, now]).toEqual(["done", file, expect.any(Date)]);
      throw refused;
    });
    await expect(publishing).rejects.toBe(refused);
    expect(await refsOf()).toEqual([]);
    const nobody = createId();
    const unknown = [
      [{ ...fileRefOf(file), sessionId: nobody }, "SESSION_NOT_FOUND"],
      [{ ...fileRefOf(file), tenantId: world.stranger.tenantId }, "SESSION_NOT_FOUND"],
      [{ ...refOf(session), fileId: nobody }, "FILE_NOT_FOUND"],
    ] as const;
    for (const [ref, reason] of unknown) {
      await expect(publishAs(world.store, ref, buildRef())).rejects.toEqual(refusal("not_found", reason));
    }
  });

  it("content that was let go and published before the sweep stays (P8)", async () => {
    const { session, file, key } = await startDone(world);
    const [one, two] = [buildRef(), buildRef()];
    await publishAs(world.store, fileRefOf(file), one);
    await publishAs(world.store, fileRefOf(file), two);
    await world.store.removeBlobs(world.tenantId, [one]);
    await world.store.deleteSession(refOf(session), () => {});
    await sweepContent(world.store);
    expect(await world.store.findReferencedKeys([key])).toEqual(new Set([key]));
    await world.store.removeBlobs(world.tenantId, [two]);
    await sweepContent(world.store);
    expect(await world.store.findReferencedKeys([key])).toEqual(new Set());
  });
}

const rounds = 12;

/** What happens to blobs at the same time. */
export function describeBlobRaces(open: OpenStore): void {
  const world = useWorld(open);

  it("of insertions of the same blob at once exactly one brings it (P4)", async () => {
    const other = await world.openAnother!();
    for (let round = 0; round < rounds; round++) {
      const refs = Array.from({ length: 20 }, () => buildRef());
      const insert = (store: MetadataStore, order: readonly BlobRef[]) =>
        store.insertBlobs(order.map((ref) => newBlob(world, { ref })));
      const answers = await Promise.all([
        insert(world.store, refs),
        insert(other, [...refs].reverse()),
        insert(world.store, refs),
        insert(other, [...refs].reverse()),
      ]);
      for (const ref of refs) {
        const text = formatBlobRef(ref);
        const told = answers.flat().filter(({ blob }) => formatBlobRef(blob.ref) === text);
        expect(told.filter(({ applied }) => applied)).toHaveLength(1);
        expect(new Set(told.map(({ blob }) => blob.createdAt.getTime())).size).toBe(1);
      }
    }
  });

  it("insertions beside removals of the same blobs are all answered, and never deadlock", async () => {
    const other = await world.openAnother!();
    const refs = Array.from({ length: 10 }, () => buildRef());
    const insert = (store: MetadataStore) => store.insertBlobs(refs.map((ref) => newBlob(world, { ref })));
    const remove = () => other.removeBlobs(world.tenantId, [...refs].reverse());
    for (let round = 0; round < rounds; round++) {
      const [first, second] = await Promise.all([insert(world.store), insert(other), remove(), remove()]);
      expect([first.length, second.length]).toEqual([10, 10]);
    }
    await insert(world.store);
    expect(await remove()).toBe(10);
  });

  it("a removal racing with the sweep leaves content that something names, and no other (P8)", async () => {
    for (let round = 0; round < rounds; round++) {
      const { session, file, key } = await startDone(world);
      const [one, two] = [buildRef(), buildRef()];
      await publishAs(world.store, fileRefOf(file), one);
      await publishAs(world.store, fileRefOf(file), two);
      const deleting = round % 2 ? world.store.deleteSession(refOf(session), () => {}) : Promise.resolve();
      const remove = (ref: BlobRef) => world.store.removeBlobs(world.tenantId, [ref]);
      await Promise.all([remove(one), world.store.deleteReleasedContent(100), deleting, sweepContent(world.store)]);
      await sweepContent(world.store);
      expect(await world.store.findReferencedKeys([key])).toEqual(new Set([key]));
      if (round % 2 === 0) await world.store.deleteSession(refOf(session), () => {});
      await Promise.all([remove(two), sweepContent(world.store)]);
      await sweepContent(world.store);
      expect(await world.store.findReferencedKeys([key])).toEqual(new Set());
    }
  });

  it("a publication racing with the session's deletion keeps the content, or is refused (P8)", async () => {
    let kept = 0;
    for (let round = 0; round < 2 * rounds; round++) {
      const { session, file, key } = await startDone(world);
      const ref = buildRef();
      const deeds = [
        () => codeOf(publishAs(world.store, fileRefOf(file), ref)),
        () => codeOf(world.store.deleteSession(refOf(session), () => {})),
      ];
      const order = round % 2 ? deeds : [...deeds].reverse();
      const codes = await Promise.all([...order.map((deed) => deed()), codeOf(sweepContent(world.store))]);
      const [published, deleted] = round % 2 ? codes : [codes[1], codes[0]];
      expect(deleted).toBe("ok");
      expect(["ok", "not_found"]).toContain(published);
      await sweepContent(world.store);
      const named = await world.store.findReferencedKeys([key]);
      expect(named).toEqual(new Set(published === "ok" ? [key] : []));
      if (published === "ok") kept++;
      const sizes = await world.store.listExtents(contentOf(file));
      expect(sizes).toHaveLength(published === "ok" ? 1 : 0);
    }
    expect(kept).toBeGreaterThan(0);
  });

  it("a publication racing with the sweep of content that another blob lets go keeps it (P8)", async () => {
    for (let round = 0; round < rounds; round++) {
      const { session, file, key } = await startDone(world);
      const [old, next] = [buildRef(), buildRef()];
      await publishAs(world.store, fileRefOf(file), old);
      await Promise.all([
        world.store.removeBlobs(world.tenantId, [old]),
        publishAs(world.store, fileRefOf(file), next),
        sweepContent(world.store),
        sweepContent(world.store),
      ]);
      await world.store.deleteSession(refOf(session), () => {});
      await sweepContent(world.store);
      expect(await world.store.findReferencedKeys([key])).toEqual(new Set([key]));
    }
  });
}
