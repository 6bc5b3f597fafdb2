import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Call, createId, defaultSweep, type Item } from "../../src/core/index.js";
import { pseudoRandom, readWhole } from "../support/bodies.js";
import {
  makeItem,
  type OpenedUploads,
  openUploads,
  sendFile,
  startFile,
  startSession,
  storeFile,
} from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

const refused = (code: string, reason: string) => ({ code, details: { reason } });

/** Content of the item, through a session of its own that is forgotten again. */
async function publish({ id: itemId }: Item, files: { readonly [name: string]: Uint8Array }): Promise<void> {
  const { uploads, alice } = opened;
  const { id: sessionId } = await startSession(uploads, alice, { itemId });
  for (const [name, content] of Object.entries(files)) await storeFile(uploads, alice, content, { sessionId, name });
  await uploads.completeSession({ sessionId }, alice);
  await uploads.deleteSession({ sessionId }, alice);
}

async function readFile({ id: itemId }: Item, name: string): Promise<Uint8Array> {
  return readWhole((await opened.uploads.readItemFile({ itemId, name }, opened.bob)).body);
}

describe("a creation with a client token", () => {
  it("says the same words again, or is a conflict; other faces and users have tokens of their own (P4)", async () => {
    const { uploads, admin, operator } = opened;
    const { id: sourceItemId, libraryId } = await makeItem(opened);
    const through = (origin: string): Call => ({ caller: { ...admin.caller, origin } });
    type Words = { name: string; description: string; clientToken: string };
    const creating: ((words: Words, call: Call) => Promise<{ id: string }>)[] = [
      (words, call) => uploads.createLibrary(words, call),
      (words, call) => uploads.createItem({ ...words, libraryId }, call),
      (words, call) => uploads.copyItem({ ...words, libraryId, sourceItemId }, call),
    ];
    const clientToken = createId();
    for (const create of creating) {
      const words = { name: createId(), description: "d", clientToken };
      const first = await create(words, admin);
      expect(await create(words, admin)).toEqual(first);
      const reused = refused("conflict", "CLIENT_TOKEN_REUSED");
      await expect(create({ ...words, description: "e" }, admin)).rejects.toMatchObject(reused);
      await expect(create({ ...words, name: createId() }, admin)).rejects.toMatchObject(reused);
      const others = [through("one"), through("two"), operator];
      const ids = await Promise.all(
        others.map(async (call) => (await create({ ...words, name: createId() }, call)).id),
      );
      expect(new Set([first.id, ...ids]).size).toBe(4);
      for (const token of ["", "\0", "x".repeat(129)]) {
        const wrong = create({ ...words, clientToken: token }, admin);
        await expect(wrong).rejects.toMatchObject(refused("invalid", "TEXT_INVALID"));
      }
    }
  });

  it("that is refused may be repeated with the same token once what was in its way is gone", async () => {
    const { uploads, admin } = opened;
    const { libraryId, id: itemId } = await makeItem(opened);
    const create = () => uploads.createItem({ libraryId, name: "item", clientToken: "again" }, admin);
    await expect(create()).rejects.toMatchObject(refused("already_exists", "NAME_TAKEN"));
    await uploads.updateItem({ itemId, name: "other" }, admin);
    expect(await create()).toEqual(await create());
  });
});

describe("a copied item", () => {
  it("keeps its bytes whatever becomes of its source, also after a sweep (P8)", async () => {
    const { uploads, alice, admin } = opened;
    const source = await makeItem(opened);
    const [large, small] = [pseudoRandom(300_000, 1), pseudoRandom(10, 2)];
    await publish(source, { large, small });
    const { libraryId } = await makeItem(opened);
    const copy = await uploads.copyItem({ sourceItemId: source.id, libraryId, name: "copy" }, alice);
    expect(await uploads.measureItem({ itemId: copy.id }, alice)).toEqual({ fileCount: 2, sizeBytes: 300_010 });
    await publish(source, { large: pseudoRandom(5, 3) });
    await uploads.sweep(defaultSweep);
    await uploads.deleteItem({ itemId: source.id }, admin);
    // As a start would find it.
    await opened.restart().sweep({ keepUnreferencedMs: 0, keepTrashMs: 0 });
    expect(await readFile(copy, "large")).toEqual(large);
    expect(await readFile(copy, "small")).toEqual(small);
  });

  it("is not touched by what is under way on its source, which may go on", async () => {
    const { uploads, alice } = opened;
    const source = await makeItem(opened);
    await publish(source, { a: pseudoRandom(10, 1) });
    const { id: sessionId } = await startSession(uploads, alice, { itemId: source.id, access: "exclusive" });
    const place = await startFile(uploads, alice, { sessionId, name: "a" });
    const copy = await uploads.copyItem(
      { sourceItemId: source.id, libraryId: source.libraryId, name: "copy", type: "t" },
      alice,
    );
    await sendFile(uploads, alice, place, pseudoRandom(20, 2));
    await uploads.completeSession({ sessionId }, alice);
    expect(await readFile(copy, "a")).toEqual(pseudoRandom(10, 1));
    expect(await readFile(source, "a")).toEqual(pseudoRandom(20, 2));
    expect(copy).toMatchObject({ contentVersion: 1, version: 1, type: "t" });
  });

  it("needs the permission to upload", async () => {
    const { uploads, alice } = opened;
    const source = await makeItem(opened);
    const reader: Call = { caller: { ...alice.caller, permissions: new Set(["read"]) } };
    const copy = uploads.copyItem({ sourceItemId: source.id, libraryId: source.libraryId, name: "copy" }, reader);
    await expect(copy).rejects.toMatchObject({ code: "denied" });
  });
});

describe("deleting a library", () => {
  it("with its items is busy while one has an open session, and takes none of them away", async () => {
    const { uploads, alice, admin } = opened;
    const { id: itemId, libraryId } = await makeItem(opened);
    await startSession(uploads, alice, { itemId });
    const busy = refused("busy", "ITEM_BUSY");
    await expect(uploads.deleteLibrary({ libraryId, withItems: true }, admin)).rejects.toMatchObject(busy);
    await expect(uploads.deleteLibrary({ libraryId, endSessions: true }, admin)).rejects.toMatchObject(busy);
    expect(await uploads.getItem({ itemId }, alice)).toMatchObject({ id: itemId });
  });

  it("and ending what is under way cancels sessions of all faces, with their bytes and their writers (P5, P7)", async () => {
    const { uploads, alice, bob, admin } = opened;
    const { id: itemId, libraryId } = await makeItem(opened);
    const second = await uploads.createItem({ libraryId, name: "second" }, admin);
    const sessions = [
      await startSession(uploads, alice, { itemId, origin: "one" }),
      await startSession(uploads, bob, { itemId: second.id, origin: "two", access: "exclusive" }),
    ];
    const done = await startSession(uploads, alice, { itemId });
    await uploads.completeSession({ sessionId: done.id }, alice);
    const file = await startFile(uploads, alice, { sessionId: sessions[0]!.id });
    let begun = () => {};
    const sending = new Promise<void>((resolve) => {
      begun = resolve;
    });
    async function* never(): AsyncGenerator<Uint8Array> {
      yield pseudoRandom(100);
      begun();
      await new Promise(() => {});
    }
    const writing = uploads.writePart({ ...file, offset: 0, body: never() }, alice);
    const cut = expect(writing).rejects.toMatchObject({ name: "UploadError" });
    await sending;
    const through: Call = { caller: { ...admin.caller, origin: "one" } };
    await uploads.deleteLibrary({ libraryId, withItems: true, endSessions: true }, through);
    await cut;
    for (const { id: sessionId } of sessions) {
      expect(await uploads.getSession({ sessionId }, admin)).toMatchObject({ state: "canceled" });
      const events = await uploads.listSessionEvents({ sessionId, after: 0 }, admin);
      expect(events.at(-1)).toMatchObject({ type: "session.canceled" });
    }
    expect(await uploads.getSession({ sessionId: done.id }, admin)).toMatchObject({ state: "done" });
    const gone = refused("not_found", "LIBRARY_NOT_FOUND");
    await expect(uploads.getLibrary({ libraryId }, admin)).rejects.toMatchObject(gone);
    const again = uploads.deleteLibrary({ libraryId, withItems: true, endSessions: true }, admin);
    await expect(again).rejects.toMatchObject(gone);
  });

  it("and ending what is under way gives up, with all of the library in place, where new sessions keep coming", async () => {
    const { alice, admin, metadata } = opened;
    const { id: itemId, libraryId } = await makeItem(opened);
    const meddled = opened.restart({
      wrapMetadata: (store) => ({
        ...store,
        async listBusySessions(...asked) {
          const open = await store.listBusySessions(...asked);
          await startSession(opened.uploads, alice, { itemId });
          return open;
        },
      }),
    });
    const deletion = meddled.deleteLibrary({ libraryId, withItems: true, endSessions: true }, admin);
    await expect(deletion).rejects.toMatchObject(refused("busy", "ITEM_BUSY"));
    expect(await metadata.listBusySessions(admin.caller.tenantId, libraryId, 100)).toHaveLength(1);
    await opened.uploads.deleteLibrary({ libraryId, withItems: true, endSessions: true }, admin);
  });
});
