import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createId, type PutFileInput, smallContentBytes } from "../../src/core/index.js";
import { pseudoRandom, readWhole } from "../support/bodies.js";
import {
  hookBlobs,
  hookMetadata,
  makeItem,
  type OpenedUploads,
  openUploads,
  readBack,
  startSession,
} from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

const hour = 3_600_000;
const words = {
  visibility: "owner",
  origin: "test",
  deadlines: { idleTtlMs: hour, absoluteTtlMs: undefined, keepTerminalMs: hour },
} as const;
const content = pseudoRandom(3000);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function put(more: Partial<PutFileInput> = {}, call = opened.alice, uploads = opened.uploads) {
  return uploads.putFile({ ...words, spec: { name: "a.bin" }, data: content, ...more }, call);
}
const sessionsSeen = async () => (await opened.uploads.listSessions({ page: { size: 1000 } }, opened.admin)).things;

describe("putting a file", () => {
  it("is a session that is done, with the file ready in it and the history of both", async () => {
    const { uploads, alice } = opened;
    const { session, file, applied } = await put({ label: "note", spec: { name: "n.txt", mediaType: "text/plain" } });
    expect(applied).toBe(true);
    expect(session).toMatchObject({ state: "done", fileCount: 1, label: "note", ownerId: alice.caller.userId });
    expect(session.expiresAt).toBeUndefined();
    expect(file).toMatchObject({ name: "n.txt", state: "ready", attempts: 1, sizeBytes: content.length });
    const place = { sessionId: session.id, fileId: file.id };
    expect(await uploads.getSession(place, alice)).toEqual(session);
    expect((await uploads.getFile(place, alice)).file).toEqual(file);
    expect(Buffer.from(await readBack(uploads, alice, place)).equals(content)).toBe(true);
    const events = await uploads.listSessionEvents({ ...place, after: 0 }, alice);
    expect(events.map(({ number, type }) => `${number} ${type}`)).toEqual([
      "1 session.created",
      "2 file.added",
      "3 file.ready",
      "4 session.done",
    ]);
    expect(session.lastEvent).toBe(4);
  });

  it.each([0, 1, smallContentBytes, smallContentBytes + 1, 2 ** 20])("of %i bytes gives them back", async (length) => {
    const data = pseudoRandom(length, 7);
    const { session, file } = await put({ data });
    const back = await readBack(opened.uploads, opened.alice, { sessionId: session.id, fileId: file.id });
    expect(Buffer.from(back).equals(data)).toBe(true);
    expect(file.current?.checksums).toEqual([{ algorithm: "sha256", value: sha256(data) }]);
  });

  it("is answered once its bytes and one single commit are durable, in that order (P1)", async () => {
    const steps: string[] = [];
    const uploads = opened.restart({
      wrapBlobs: hookBlobs({ after: (step) => steps.push(step) }),
      wrapMetadata: hookMetadata({ after: (deed) => steps.push(deed) }),
    });
    await put({}, opened.alice, uploads);
    expect(steps).toEqual(["putSmall", "putFile"]);
    steps.length = 0;
    await put({ data: pseudoRandom(smallContentBytes + 1) }, opened.alice, uploads);
    expect(steps).toEqual(["createExtent", "write", "sync", "putFile"]);
  });

  it("into an item applies it there, and replaces a file of its name (P5)", async () => {
    const { uploads, alice, bob } = opened;
    const item = await makeItem(opened);
    await put({ itemId: item.id });
    const other = pseudoRandom(10, 3);
    await put({ itemId: item.id, data: other });
    await put({ itemId: item.id, data: other, spec: { name: "b.bin" } });
    expect(await uploads.getItem({ itemId: item.id }, alice)).toMatchObject({ contentVersion: 4 });
    const read = await uploads.readItemFile({ itemId: item.id, name: "a.bin" }, bob);
    expect(read.file.version).toBe(2);
    expect(Buffer.from(await readWhole(read.body)).equals(other)).toBe(true);
  });

  it("with a client token happens once, however often and however many at once ask (P4)", async () => {
    const clientToken = createId();
    const answers = await Promise.all(Array.from({ length: 8 }, () => put({ clientToken })));
    answers.push(await put({ clientToken }));
    expect(new Set(answers.map(({ session }) => session.id)).size).toBe(1);
    for (const { file } of answers) expect(file).toEqual(answers[0]?.file);
    expect(answers.filter(({ applied }) => applied)).toHaveLength(1);
  });

  it.each([
    ["other bytes", { data: pseudoRandom(3000, 2) }],
    ["another name", { spec: { name: "b.bin" } }],
    ["another label", { label: "x" }],
  ])("with a client token and %s is a conflict", async (_what, more) => {
    const clientToken = createId();
    await put({ clientToken });
    const again = put({ clientToken, ...more });
    await expect(again).rejects.toMatchObject({ code: "conflict", details: { reason: "CLIENT_TOKEN_REUSED" } });
  });

  it("has tokens of its own: one that opened a session stores a file all the same", async () => {
    const clientToken = createId();
    await startSession(opened.uploads, opened.alice, { clientToken });
    expect(await put({ clientToken })).toMatchObject({ applied: true });
  });

  const wrong = { algorithm: "sha256", value: "0".repeat(64) };
  it.each<[string, Partial<PutFileInput>, object]>([
    ["whose checksum differs", { spec: { name: "a", checksums: [wrong] } }, { code: "checksum_mismatch" }],
    ["whose size differs", { spec: { name: "a", sizeBytes: 2999 } }, { details: { reason: "SIZE_DIFFERS" } }],
    ["with no name", { spec: { name: "" } }, { details: { reason: "NAME_INVALID" } }],
    ["into an item that is not there", { itemId: createId() }, { details: { reason: "ITEM_NOT_FOUND" } }],
    ["with an empty token", { clientToken: "" }, { details: { reason: "TEXT_INVALID" } }],
  ])("%s is refused and leaves no session", async (_what, more, refusal) => {
    const before = await sessionsSeen();
    await expect(put(more)).rejects.toMatchObject(refusal);
    expect(await sessionsSeen()).toEqual(before);
  });

  it("that declares what it is passes, and the declared algorithms are answered", async () => {
    const md5 = createHash("md5").update(content).digest("hex");
    const checksums = [{ algorithm: "md5", value: md5.toUpperCase() }];
    const { file } = await put({ spec: { name: "a", sizeBytes: content.length, checksums } });
    expect(file.current?.checksums).toContainEqual({ algorithm: "md5", value: md5 });
  });

  it("over the largest size names the limit", async () => {
    const uploads = opened.restart({ limits: { maxFileBytes: 2999 } });
    await expect(put({}, opened.alice, uploads)).rejects.toMatchObject({
      code: "too_large",
      details: { limit: { setting: "SLIPWAY_MAX_FILE_BYTES", value: 2999 } },
    });
  });

  it("waits for no exclusive session on its item but is busy", async () => {
    const item = await makeItem(opened);
    await startSession(opened.uploads, opened.alice, { itemId: item.id, access: "exclusive" });
    const putting = put({ itemId: item.id });
    await expect(putting).rejects.toMatchObject({ code: "busy", details: { reason: "ITEM_BUSY" } });
  });

  it("whose caller has gone before anything is stored stores nothing", async () => {
    const steps: string[] = [];
    const uploads = opened.restart({ wrapBlobs: hookBlobs({ before: (step) => steps.push(step) }) });
    const signal = AbortSignal.abort(new Error("gone"));
    await expect(put({}, { ...opened.alice, signal }, uploads)).rejects.toThrow("gone");
    expect(steps).toEqual([]);
  });

  it("is seen by its owner alone, unless the tenant may (P9)", async () => {
    const { uploads, bob } = opened;
    const mine = await put();
    const ours = await put({ visibility: "tenant" });
    await expect(uploads.getSession({ sessionId: mine.session.id }, bob)).rejects.toMatchObject({ code: "not_found" });
    expect(await uploads.getSession({ sessionId: ours.session.id }, bob)).toEqual(ours.session);
  });

  it("needs the permission to upload", async () => {
    const { caller } = opened.alice;
    const reader = { caller: { ...caller, permissions: new Set(["read" as const]) } };
    await expect(put({}, reader)).rejects.toMatchObject({ code: "denied" });
  });
});
