import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Session } from "../../src/core/index.js";
import { bodyOf, pseudoRandom, readWhole } from "../support/bodies.js";
import {
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

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

const content = (seed: number) => pseudoRandom(300, seed);

async function sendInto(session: Session, name: string, bytes: Uint8Array) {
  return storeFile(opened.uploads, opened.alice, bytes, { sessionId: session.id, name });
}

/** What everyone sees of an item: its content version, and its files with their versions and bytes. */
async function seeItem(itemId: string) {
  const { uploads, bob } = opened;
  const item = await uploads.getItem({ itemId }, bob);
  const files: Record<string, readonly [number, string]> = {};
  for (const { name, version } of (await uploads.listItemFiles({ itemId, page: {} }, bob)).things) {
    const bytes = await readWhole((await uploads.readItemFile({ itemId, name }, bob)).body);
    files[name] = [version, Buffer.from(bytes).toString("hex")];
  }
  return { contentVersion: item.contentVersion, files };
}
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("completing a session with files that are not ready", () => {
  it("is incomplete with their names, and changes nothing (P5)", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    const session = await startSession(uploads, alice, { itemId: item.id });
    await sendInto(session, "ready", content(1));
    await startFile(uploads, alice, { sessionId: session.id, name: "waiting" });
    const partly = await startFile(uploads, alice, { sessionId: session.id, name: "partly" });
    await uploads.writePart({ ...partly, offset: 0, body: bodyOf([content(2)]) }, alice);
    const before = await uploads.getSession({ sessionId: session.id }, alice);
    await expect(uploads.completeSession({ sessionId: session.id }, alice)).rejects.toMatchObject({
      code: "incomplete",
      details: { reason: "FILES_INCOMPLETE", missing: ["waiting", "partly"] },
    });
    expect(await seeItem(item.id)).toEqual({ contentVersion: 1, files: {} });
    expect(await uploads.getSession({ sessionId: session.id }, alice)).toEqual(before);
  });

  it("names at most 100 of them (P10)", async () => {
    const { uploads, alice } = opened;
    const session = await startSession(uploads, alice);
    for (let i = 0; i < 101; i++) await startFile(uploads, alice, { sessionId: session.id, name: `f${i}` });
    const refused = uploads.completeSession({ sessionId: session.id }, alice);
    await expect(refused).rejects.toMatchObject({
      message: expect.stringContaining("101 of 101"),
      details: { missing: Array.from({ length: 100 }, (_, i) => `f${i}`) },
    });
  });
});

describe("validating a session", () => {
  it("tells what is missing and what was wrong, and changes nothing", async () => {
    const { uploads, alice } = opened;
    const session = await startSession(uploads, alice);
    await sendInto(session, "good", content(1));
    await startFile(uploads, alice, { sessionId: session.id, name: "waiting" });
    const checksums = [{ algorithm: "md5", value: "0".repeat(32) }];
    const bad = await startFile(uploads, alice, { sessionId: session.id, name: "bad", checksums });
    await expect(sendFile(uploads, alice, bad, content(1))).rejects.toThrow();
    const before = await uploads.getSession({ sessionId: session.id }, alice);
    const { missing, invalid } = await uploads.validateSession({ sessionId: session.id }, alice);
    expect(missing.map(({ name }) => name)).toEqual(["waiting"]);
    expect(invalid.map(({ name, failure }) => [name, failure?.reason])).toEqual([["bad", "checksum_differs"]]);
    expect(await uploads.getSession({ sessionId: session.id }, alice)).toEqual(before);
  });
});

describe("a completed session", () => {
  it("answers whoever asks again the same, with nothing applied (P4)", async () => {
    const { uploads, alice } = opened;
    const session = await startSession(uploads, alice);
    const place = await sendInto(session, "a", content(1));
    const first = await uploads.completeSession(place, alice);
    expect(first).toMatchObject({ applied: true, session: { state: "done", expiresAt: undefined } });
    expect(await uploads.completeSession(place, alice)).toEqual({ ...first, applied: false });
    const events = await uploads.listSessionEvents({ sessionId: session.id, after: 0 }, alice);
    expect(events.filter(({ type }) => type === "session.done")).toHaveLength(1);
  });

  it("completes once, however many ask at the same time (P4)", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    const session = await startSession(uploads, alice, { itemId: item.id });
    const place = await sendInto(session, "a", content(1));
    const results = await Promise.all(Array.from({ length: 8 }, () => uploads.completeSession(place, alice)));
    expect(results.filter(({ applied }) => applied)).toHaveLength(1);
    expect(await seeItem(item.id)).toEqual({ contentVersion: 2, files: { a: [1, hex(content(1))] } });
  });

  it("takes no more changes, and keeps its files readable without a target item", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, content(1));
    await uploads.completeSession(place, alice);
    const wrongState = { code: "wrong_state", details: { reason: "SESSION_STATE" } };
    const { sessionId } = place;
    for (const attempt of [
      uploads.addFile({ sessionId, name: "b" }, alice),
      uploads.removeFile(place, alice),
      uploads.writePart({ ...place, offset: 0, restart: true, body: bodyOf([]) }, alice),
      uploads.cancelSession(place, alice),
      uploads.failSession({ sessionId, message: "" }, alice),
      uploads.keepSessionAlive(place, alice),
      uploads.validateSession(place, alice),
    ]) {
      await expect(attempt).rejects.toMatchObject(wrongState);
    }
    expect(await readBack(uploads, alice, place)).toEqual(content(1));
  });

  it("without any file is done and leaves the item as it is", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    const session = await startSession(uploads, alice, { itemId: item.id });
    expect((await uploads.completeSession({ sessionId: session.id }, alice)).session.state).toBe("done");
    expect(await seeItem(item.id)).toEqual({ contentVersion: 1, files: {} });
  });
});

describe("a target item", () => {
  it("gets all files of a session at once, and its content version moves by one (P5)", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    const session = await startSession(uploads, alice, { itemId: item.id });
    await sendInto(session, "a", content(1));
    await sendInto(session, "b", content(2));
    expect(await seeItem(item.id)).toEqual({ contentVersion: 1, files: {} });
    await uploads.completeSession({ sessionId: session.id }, alice);
    const files = { a: [1, hex(content(1))], b: [1, hex(content(2))] };
    expect(await seeItem(item.id)).toEqual({ contentVersion: 2, files });
  });

  it("keeps what a session does not touch, replaces what it sends and loses what it removes (P5)", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    const first = await startSession(uploads, alice, { itemId: item.id });
    for (const [name, seed] of [
      ["keep", 1],
      ["replace", 2],
      ["remove", 3],
      ["again", 4],
    ] as const) {
      await sendInto(first, name, content(seed));
    }
    await uploads.completeSession({ sessionId: first.id }, alice);
    const second = await startSession(uploads, alice, { itemId: item.id });
    const { id: sessionId } = second;
    for (const name of ["remove", "remove", "again", "unknown"]) {
      await uploads.removeItemFile({ sessionId, name }, alice);
    }
    await sendInto(second, "replace", content(5));
    await sendInto(second, "again", content(6));
    await uploads.completeSession({ sessionId }, alice);
    const files = {
      keep: [1, hex(content(1))],
      replace: [2, hex(content(5))],
      again: [2, hex(content(6))],
    };
    expect(await seeItem(item.id)).toEqual({ contentVersion: 3, files });
  });

  it("shows nothing when the completion fails half way (P5)", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    const session = await startSession(uploads, alice, { itemId: item.id });
    const place = await sendInto(session, "a", content(1));
    const broken = new Error("broken");
    const breaking = opened.restart({
      wrapMetadata: (metadata) => ({
        ...metadata,
        completeSession: (ref, decide) =>
          metadata.completeSession(ref, (view, now) => {
            decide(view, now);
            throw broken;
          }),
      }),
    });
    await expect(breaking.completeSession(place, alice)).rejects.toBe(broken);
    expect(await seeItem(item.id)).toEqual({ contentVersion: 1, files: {} });
    expect((await uploads.getSession(place, alice)).state).toBe("active");
  });

  it("was changed although the answer was lost, which the next asking tells (P4)", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    const session = await startSession(uploads, alice, { itemId: item.id });
    const place = await sendInto(session, "a", content(1));
    const losing = opened.restart({
      wrapMetadata: hookMetadata({
        after(deed) {
          if (deed === "completeSession") throw new Error("lost");
        },
      }),
    });
    await expect(losing.completeSession(place, alice)).rejects.toThrow("lost");
    expect(await uploads.completeSession(place, alice)).toMatchObject({ applied: false, session: { state: "done" } });
    expect((await seeItem(item.id)).contentVersion).toBe(2);
  });

  it("has one session at a time when that is exclusive, and many that are additive", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    const start = (access: "additive" | "exclusive") => startSession(uploads, alice, { itemId: item.id, access });
    const busy = { code: "busy", details: { reason: "ITEM_BUSY" } };
    const [one, two] = [await start("additive"), await start("additive")];
    await expect(start("exclusive")).rejects.toMatchObject(busy);
    await uploads.cancelSession({ sessionId: one.id }, alice);
    await uploads.completeSession({ sessionId: two.id }, alice);
    const alone = await start("exclusive");
    await expect(start("additive")).rejects.toMatchObject(busy);
    await expect(start("exclusive")).rejects.toMatchObject(busy);
    await uploads.cancelSession({ sessionId: alone.id }, alice);
    const races = await Promise.allSettled(Array.from({ length: 5 }, () => start("exclusive")));
    expect(races.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("gets the files of additive sessions one after the other, the later over the earlier", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    const sessions = [
      await startSession(uploads, alice, { itemId: item.id }),
      await startSession(uploads, alice, { itemId: item.id }),
    ];
    for (const [i, session] of sessions.entries()) await sendInto(session, "a", content(i + 1));
    for (const session of sessions) await uploads.completeSession({ sessionId: session.id }, alice);
    expect(await seeItem(item.id)).toEqual({ contentVersion: 3, files: { a: [2, hex(content(2))] } });
  });
});
