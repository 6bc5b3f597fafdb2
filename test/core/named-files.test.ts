import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Item, sessionMember, UploadError } from "../../src/core/index.js";
import { bodyOf, fedBody, pseudoRandom } from "../support/bodies.js";
import { type OpenedUploads, openUploads, readBack, sendFile, startFile, startSession } from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

let items = 0;

/** An item with the files `a` and `b`. */
async function itemWithFiles(): Promise<Item> {
  const { uploads, alice } = opened;
  const { id: libraryId } = await uploads.createLibrary({ name: `named ${++items}` }, opened.admin);
  const item = await uploads.createItem({ libraryId, name: "item" }, alice);
  const { id: sessionId } = await startSession(uploads, alice, { itemId: item.id });
  for (const name of ["a", "b"]) {
    const { file } = await uploads.addFile(
      { sessionId, name, attributes: { kept: 1, [sessionMember]: { x: 1 } } },
      alice,
    );
    await sendFile(uploads, alice, { sessionId, fileId: file.id }, pseudoRandom(10));
  }
  await uploads.completeSession({ sessionId }, alice);
  return item;
}

async function namesOf(itemId: string): Promise<readonly string[]> {
  const { uploads, alice } = opened;
  return (await uploads.listItemFiles({ itemId, page: {} }, alice)).things.map(({ name }) => name);
}

describe("a name of an item's file", () => {
  it("goes with the completion of the session that removed it, whether or not the session sends it", async () => {
    const { uploads, alice } = opened;
    const { id: itemId } = await itemWithFiles();
    const { id: sessionId } = await startSession(uploads, alice, { itemId });
    const { file } = await uploads.addFile({ sessionId, name: "a" }, alice);
    await sendFile(uploads, alice, { sessionId, fileId: file.id }, pseudoRandom(20));
    await uploads.removeName({ sessionId, name: "a" }, alice);
    await uploads.removeName({ sessionId, name: "b" }, alice);
    expect((await uploads.getSession({ sessionId }, alice)).fileCount).toBe(0);
    expect(await namesOf(itemId)).toEqual(["a", "b"]);
    await uploads.completeSession({ sessionId }, alice);
    expect(await namesOf(itemId)).toEqual([]);
  });

  it("is not there to be removed twice, or when neither the session nor the item has it", async () => {
    const { uploads, alice } = opened;
    const { id: itemId } = await itemWithFiles();
    const { id: sessionId } = await startSession(uploads, alice, { itemId });
    await uploads.removeName({ sessionId, name: "a" }, alice);
    for (const name of ["a", "c"]) {
      await expect(uploads.removeName({ sessionId, name }, alice)).rejects.toMatchObject({
        code: "not_found",
        details: { reason: "FILE_NOT_FOUND" },
      });
    }
  });

  it("that was removed and is declared again is replaced", async () => {
    const { uploads, alice } = opened;
    const { id: itemId } = await itemWithFiles();
    const { id: sessionId } = await startSession(uploads, alice, { itemId });
    await uploads.removeName({ sessionId, name: "a" }, alice);
    const { file } = await uploads.addFile({ sessionId, name: "a" }, alice);
    await sendFile(uploads, alice, { sessionId, fileId: file.id }, pseudoRandom(30));
    await uploads.completeSession({ sessionId }, alice);
    const replaced = await uploads.getItemFile({ itemId, name: "a" }, alice);
    expect(replaced).toMatchObject({ version: 2, content: { sizeBytes: 30 } });
  });

  it("finds the session's file", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: 5 });
    const { file } = await uploads.findFile({ ...place, name: place.name }, alice);
    expect(file.id).toBe(place.fileId);
    await expect(uploads.findFile({ ...place, name: "other" }, alice)).rejects.toMatchObject({
      code: "not_found",
      details: { reason: "FILE_NOT_FOUND" },
    });
  });

  it("comes with its attributes, but for what is of its session alone", async () => {
    const { uploads, alice } = opened;
    const { id: itemId } = await itemWithFiles();
    const { attributes } = await uploads.getItemFile({ itemId, name: "a" }, alice);
    expect(attributes).toEqual({ kept: 1 });
  });
});

describe("a file that is refused", () => {
  const failure = { reason: "size_differs", message: "6 bytes came, 5 were declared" } as const;
  const when = () => true;

  it("fails with the reason, tells it, keeps its session and can be sent again", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: 5 });
    await uploads.refuseFile({ ...place, failure, when }, alice);
    const { file, session } = await uploads.getFile(place, alice);
    expect({ file: file.state, failure: file.failure, session: session.state }).toEqual({
      file: "failed",
      failure,
      session: "active",
    });
    const events = await uploads.listSessionEvents({ ...place, after: 0 }, alice);
    expect(events.at(-1)).toMatchObject({ type: "file.failed", details: { name: file.name, ...failure } });
    await expect(uploads.completeSession(place, alice)).rejects.toMatchObject({ code: "incomplete" });
    await sendFile(uploads, alice, place, pseudoRandom(5));
    expect(await readBack(uploads, alice, place)).toEqual(pseudoRandom(5));
    expect((await uploads.getFile(place, alice)).file.failure).toBeUndefined();
  });

  it("takes nothing more from whoever was sending it", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: 100 });
    const fed = fedBody();
    const sent = uploads.writePart({ ...place, offset: 0, body: fed.body }, alice);
    fed.send(pseudoRandom(10));
    await vi.waitFor(async () => {
      expect((await uploads.getFile(place, alice)).file.state).toBe("transferring");
    });
    await uploads.refuseFile({ ...place, failure, when }, alice);
    await expect(sent).rejects.toMatchObject({ code: "superseded" });
    expect((await uploads.getFile(place, alice)).file.state).toBe("failed");
  });

  it("stays as it was where it is not about it any more, and so does one whose sender is refused under its lock", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: 5 });
    await uploads.refuseFile({ ...place, failure, when: () => false }, alice);
    const no = new UploadError("not_found", "another declaration", { reason: "FILE_NOT_FOUND" });
    const check = () => {
      throw no;
    };
    const body = bodyOf([pseudoRandom(5)]);
    await expect(uploads.writePart({ ...place, offset: 0, body, check }, alice)).rejects.toBe(no);
    expect((await uploads.getFile(place, alice)).file).toMatchObject({ state: "waiting", attempts: 0 });
  });
});
