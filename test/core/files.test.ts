import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createId } from "../../src/core/index.js";
import { bodyOf, pseudoRandom } from "../support/bodies.js";
import {
  type OpenedUploads,
  openUploads,
  readBack,
  sendFile,
  startFile,
  startSession,
  statusOf,
  storeFile,
} from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

const md5 = { algorithm: "MD5", value: "AB".repeat(16) };

describe("declaring a file", () => {
  it("again in the same words gives the same file, with nothing applied (P4)", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const spec = { sessionId, name: "a", sizeBytes: 5, checksums: [md5], attributes: { x: 1, y: [2] } };
    const first = await uploads.addFile(spec, alice);
    expect(first.applied).toBe(true);
    const again = await uploads.addFile({ ...spec, attributes: { y: [2], x: 1 } }, alice);
    expect(again.applied).toBe(false);
    expect(again.file).toEqual(first.file);
    expect((await uploads.getSession({ sessionId }, alice)).fileCount).toBe(1);
  });

  it("at the same time from many sides makes one file (P4)", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const added = await Promise.all(Array.from({ length: 8 }, () => uploads.addFile({ sessionId, name: "a" }, alice)));
    expect(new Set(added.map(({ file }) => file.id)).size).toBe(1);
    expect(added.filter(({ applied }) => applied)).toHaveLength(1);
  });

  it("under a name that the session has for another file is refused", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: 5 });
    for (const change of [{ sizeBytes: 6 }, { checksums: [md5] }, { mediaType: "text/plain" }]) {
      await expect(uploads.addFile({ ...place, sizeBytes: 5, ...change }, alice)).rejects.toMatchObject({
        code: "already_exists",
        details: { reason: "FILE_EXISTS" },
      });
    }
  });

  it("again after its size was declared late is still the same file (P4)", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    await uploads.writePart({ ...place, offset: 0, sizeBytes: 10, body: bodyOf([pseudoRandom(5)]) }, alice);
    expect((await uploads.addFile(place, alice)).applied).toBe(false);
    expect(await statusOf(uploads, alice, place)).toBe(5);
  });

  it("anew ends what was for its attempt that had not begun", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: 5 });
    await uploads.addFile({ ...place, sizeBytes: 6, onExisting: "replace" }, alice);
    const body = bodyOf([pseudoRandom(5)]);
    await expect(uploads.writePart({ ...place, attempt: 1, offset: 0, body }, alice)).rejects.toMatchObject({
      code: "not_found",
    });
  });

  it("anew keeps its id and its content, until the new content is whole", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, pseudoRandom(100));
    const anew = await uploads.addFile({ ...place, sizeBytes: 50, onExisting: "replace" }, alice);
    expect(anew.file).toMatchObject({ id: place.fileId, state: "waiting", sizeBytes: 50 });
    expect(await readBack(uploads, alice, place)).toEqual(pseudoRandom(100));
    await expect(uploads.completeSession(place, alice)).rejects.toMatchObject({ code: "incomplete" });
    await sendFile(uploads, alice, place, pseudoRandom(50, 2));
    expect(await readBack(uploads, alice, place)).toEqual(pseudoRandom(50, 2));
  });

  it("counts as life of the session", async () => {
    const { uploads, alice } = opened;
    const session = await startSession(uploads, alice);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await uploads.addFile({ sessionId: session.id, name: "a" }, alice);
    const after = await uploads.getSession({ sessionId: session.id }, alice);
    expect(after.expiresAt!.getTime()).toBeGreaterThan(session.expiresAt!.getTime());
  });

  it("with words that are wrong leaves no file", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    for (const name of ["", "a/b", "a\0", "\ud800", "x".repeat(256)]) {
      await expect(uploads.addFile({ sessionId, name }, alice)).rejects.toMatchObject({ code: "invalid" });
    }
    expect((await uploads.listFiles({ sessionId, page: {} }, alice)).things).toEqual([]);
  });
});

describe("listing files", () => {
  it("gives them in the order in which they were added, page by page, each once", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const names = Array.from({ length: 25 }, (_, i) => `f${(i * 7) % 25}`);
    for (const name of names) await uploads.addFile({ sessionId, name }, alice);
    const seen: string[] = [];
    let cursor: string | undefined = "";
    while (cursor !== undefined) {
      const page = await uploads.listFiles({ sessionId, page: { size: 10, cursor } }, alice);
      seen.push(...page.things.map(({ name }) => name));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(names);
  });
});

describe("removing a file", () => {
  it("takes it out with its bytes, so that the session completes without it", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const kept = await storeFile(uploads, alice, pseudoRandom(10), { sessionId, name: "kept" });
    const gone = await startFile(uploads, alice, { sessionId, name: "gone" });
    await uploads.removeFile(gone, alice);
    await expect(uploads.getFile(gone, alice)).rejects.toMatchObject({ code: "not_found" });
    await expect(uploads.removeFile(gone, alice)).rejects.toMatchObject({ code: "not_found" });
    await expect(uploads.writePart({ ...gone, offset: 0, body: bodyOf([]) }, alice)).rejects.toMatchObject({
      code: "not_found",
      details: { reason: "FILE_NOT_FOUND" },
    });
    expect((await uploads.completeSession({ sessionId }, alice)).session.fileCount).toBe(1);
    expect(await readBack(uploads, alice, kept)).toEqual(pseudoRandom(10));
  });

  it("frees its name for another", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: 1 });
    await uploads.removeFile(place, alice);
    const { file } = await uploads.addFile({ ...place, sizeBytes: 2 }, alice);
    expect(file.id).not.toBe(place.fileId);
  });

  it("of an item needs a session on that item, and a name that could be one", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const none = uploads.removeItemFile({ sessionId, name: "a" }, alice);
    await expect(none).rejects.toMatchObject({ code: "not_found" });
    const askew = uploads.removeItemFile({ sessionId, name: "../a" }, alice);
    await expect(askew).rejects.toMatchObject({ code: "invalid" });
  });
});

describe("the status of an upload", () => {
  it("is the committed offset, then the finished file", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    expect(await uploads.getUploadStatus(place, alice)).toMatchObject({ kind: "offset", offset: 0 });
    await uploads.writePart({ ...place, offset: 0, body: bodyOf([pseudoRandom(7)]) }, alice);
    expect(await uploads.getUploadStatus(place, alice)).toMatchObject({ kind: "offset", offset: 7 });
    await uploads.writePart({ ...place, offset: 7, body: bodyOf([]), ending: () => ({ finish: true }) }, alice);
    expect(await uploads.getUploadStatus(place, alice)).toMatchObject({ kind: "finished", file: { state: "ready" } });
  });

  it("of a file whose session was cancelled is refused, whether or not it was whole (P5)", async () => {
    const { uploads, alice } = opened;
    for (const finish of [false, true]) {
      const place = await startFile(uploads, alice);
      const part = { ...place, offset: 0, body: bodyOf([pseudoRandom(7)]), ending: () => ({ finish }) };
      await uploads.writePart(part, alice);
      await uploads.cancelSession(place, alice);
      await expect(uploads.getUploadStatus(place, alice)).rejects.toMatchObject({ code: "wrong_state" });
    }
  });

  it("of a file that is not there is not found, and of an id that is none invalid", async () => {
    const { uploads, alice } = opened;
    const { sessionId } = await startFile(uploads, alice);
    const unknown = uploads.getUploadStatus({ sessionId, fileId: createId() }, alice);
    await expect(unknown).rejects.toMatchObject({ code: "not_found" });
    const askew = uploads.getUploadStatus({ sessionId, fileId: "' or 1=1 --" }, alice);
    await expect(askew).rejects.toMatchObject({ code: "invalid", details: { reason: "ID_MALFORMED" } });
  });
});
