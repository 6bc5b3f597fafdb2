import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createId, type SessionInput } from "../../src/core/index.js";
import { bodyOf, pseudoRandom } from "../support/bodies.js";
import { makeItem, type OpenedUploads, openUploads, startFile, startSession, storeFile } from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

const hour = 3_600_000;
const deadlines = { idleTtlMs: hour, absoluteTtlMs: undefined, keepTerminalMs: hour };
const brief = { ...deadlines, idleTtlMs: 30 };
const words: SessionInput = { access: "additive", visibility: "owner", origin: "test", deadlines };

describe("creating a session with a client token (P4)", () => {
  it("gives the same session for the same words, also at the same time", async () => {
    const { uploads, alice } = opened;
    const input = { ...words, clientToken: createId(), label: "l", attributes: { a: 1, b: 2 } };
    const created = await Promise.all(Array.from({ length: 6 }, () => uploads.createSession(input, alice)));
    expect(new Set(created.map(({ session }) => session.id)).size).toBe(1);
    expect(created.filter(({ applied }) => applied)).toHaveLength(1);
    const again = await uploads.createSession({ ...input, attributes: { b: 2, a: 1 } }, alice);
    expect(again).toMatchObject({ applied: false, session: { id: created[0]!.session.id } });
  });

  it("is a conflict for other words", async () => {
    const { uploads, alice } = opened;
    const input = { ...words, clientToken: createId() };
    await uploads.createSession(input, alice);
    for (const change of [{ label: "x" }, { visibility: "tenant" as const }, { attributes: { a: 1 } }]) {
      await expect(uploads.createSession({ ...input, ...change }, alice)).rejects.toMatchObject({
        code: "conflict",
        details: { reason: "CLIENT_TOKEN_REUSED" },
      });
    }
  });

  it("means nothing to another user, another tenant or another face (P9)", async () => {
    const { uploads, alice, bob, otherTenant } = opened;
    const input = { ...words, clientToken: createId() };
    const made = [
      await uploads.createSession(input, alice),
      await uploads.createSession(input, bob),
      await uploads.createSession(input, otherTenant),
      await uploads.createSession({ ...input, origin: "other" }, alice),
    ];
    expect(made.every(({ applied }) => applied)).toBe(true);
  });

  it.each(["", "x".repeat(129), "a\0"])("that is %j is invalid", async (clientToken) => {
    const made = opened.uploads.createSession({ ...words, clientToken }, opened.alice);
    await expect(made).rejects.toMatchObject({ code: "invalid", details: { reason: "TEXT_INVALID" } });
  });
});

describe("creating a session", () => {
  it("on an item that is not there is not found, and with words that are wrong invalid", async () => {
    const { uploads, alice } = opened;
    await expect(startSession(uploads, alice, { itemId: createId() })).rejects.toMatchObject({
      code: "not_found",
      details: { reason: "ITEM_NOT_FOUND" },
    });
    for (const wrong of [
      { itemId: "x" },
      { label: "x".repeat(257) },
      { label: "\ud800" },
      { attributes: { a: "\0" } },
      { deadlines: { ...deadlines, idleTtlMs: 0 } },
      { deadlines: { ...deadlines, keepTerminalMs: Number.NaN } },
    ]) {
      await expect(startSession(uploads, alice, wrong)).rejects.toMatchObject({ code: "invalid" });
    }
  });

  it("remembers the item's content version and tells its birth", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    const session = await startSession(uploads, alice, { itemId: item.id });
    expect(session).toMatchObject({ baseContentVersion: 1, state: "active", fileCount: 0 });
    const events = await uploads.listSessionEvents({ sessionId: session.id, after: 0 }, alice);
    expect(events.map(({ number, type }) => [number, type])).toEqual([[1, "session.created"]]);
    expect(await uploads.listSessionEvents({ sessionId: session.id, after: 1 }, alice)).toEqual([]);
  });
});

describe("keeping a session alive", () => {
  it("puts its deadline off and takes progress that never falls", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId, expiresAt } = await startSession(uploads, alice);
    await sleep(20);
    const kept = await uploads.keepSessionAlive({ sessionId, clientProgress: 40 }, alice);
    expect(kept.clientProgress).toBe(40);
    expect(kept.expiresAt!.getTime()).toBeGreaterThan(expiresAt!.getTime());
    expect((await uploads.keepSessionAlive({ sessionId }, alice)).clientProgress).toBe(40);
    for (const clientProgress of [39, 101, -1, 40.5, Number.NaN]) {
      await expect(uploads.keepSessionAlive({ sessionId, clientProgress }, alice)).rejects.toMatchObject({
        code: "invalid",
        details: { reason: "PROGRESS_INVALID" },
      });
    }
    expect((await uploads.keepSessionAlive({ sessionId, clientProgress: 100 }, alice)).clientProgress).toBe(100);
  });
});

describe("ending a session early (P5)", () => {
  it.each(["cancel", "fail"] as const)("by %s happens once, lets go of its content and takes no more", async (how) => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, pseudoRandom(50));
    const end = () =>
      how === "cancel"
        ? uploads.cancelSession(place, alice)
        : uploads.failSession({ ...place, message: "scanner said no" }, alice);
    const first = await end();
    expect(first).toMatchObject({ applied: true, session: { state: how === "cancel" ? "canceled" : "failed" } });
    expect(await end()).toEqual({ ...first, applied: false });
    await expect(uploads.readFile(place, alice)).rejects.toMatchObject({ code: "wrong_state" });
    await expect(uploads.completeSession(place, alice)).rejects.toMatchObject({ code: "wrong_state" });
    const sent = uploads.writePart({ ...place, offset: 50, body: bodyOf([pseudoRandom(1)]) }, alice);
    await expect(sent).rejects.toMatchObject({ code: "wrong_state" });
  });

  it("leaves its target item as it was", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    const session = await startSession(uploads, alice, { itemId: item.id });
    await storeFile(uploads, alice, pseudoRandom(50), { sessionId: session.id });
    await uploads.cancelSession({ sessionId: session.id }, alice);
    expect(await uploads.getItem({ itemId: item.id }, alice)).toEqual(item);
    expect((await uploads.listItemFiles({ itemId: item.id, page: {} }, alice)).things).toEqual([]);
  });

  it("with a message that cannot be stored rejects and does not throw", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    for (const message of ["\0", "x".repeat(1025)]) {
      let answer: Promise<unknown> | undefined;
      expect(() => {
        answer = uploads.failSession({ sessionId, message }, alice);
      }).not.toThrow();
      await expect(answer).rejects.toMatchObject({ code: "invalid" });
    }
  });
});

describe("deleting a session", () => {
  it("forgets one that has ended, and is refused while it runs", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, pseudoRandom(5));
    await expect(uploads.deleteSession(place, alice)).rejects.toMatchObject({ code: "wrong_state" });
    await uploads.completeSession(place, alice);
    await uploads.deleteSession(place, alice);
    for (const gone of [uploads.getSession, uploads.deleteSession, uploads.completeSession, uploads.cancelSession]) {
      await expect(gone(place, alice)).rejects.toMatchObject({ code: "not_found" });
    }
  });
});

describe("a session whose deadline has passed", () => {
  const expired = { code: "expired", details: { reason: "SESSION_EXPIRED" } };

  async function startOverdue() {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice, { deadlines: { ...brief, idleTtlMs: 1000 } });
    const whole = await storeFile(uploads, alice, pseudoRandom(5), { sessionId });
    const open = await startFile(uploads, alice, { sessionId, name: "open" });
    await sleep(1100);
    return { whole, open };
  }

  it("answers every change with expired before anyone has swept", async () => {
    const { uploads, alice } = opened;
    const { open } = await startOverdue();
    for (const answer of [
      uploads.writePart({ ...open, offset: 0, body: bodyOf([]) }, alice),
      uploads.addFile({ ...open, name: "b" }, alice),
      uploads.removeFile(open, alice),
      uploads.completeSession(open, alice),
      uploads.validateSession(open, alice),
      uploads.cancelSession(open, alice),
      uploads.keepSessionAlive(open, alice),
      uploads.getUploadStatus(open, alice),
    ]) {
      await expect(answer).rejects.toMatchObject(expired);
    }
  });

  it("answers the status of a file that is whole with expired, and reads no content any more (P5)", async () => {
    const { uploads, alice } = opened;
    const { whole } = await startOverdue();
    const answers = [uploads.getUploadStatus(whole, alice), uploads.readFile(whole, alice)];
    for (const answer of await Promise.allSettled(answers)) expect(answer).toMatchObject({ reason: expired });
  });

  it("holds its item no longer", async () => {
    const { uploads, alice } = opened;
    const item = await makeItem(opened);
    await startSession(uploads, alice, { itemId: item.id, access: "exclusive", deadlines: brief });
    await sleep(60);
    await startSession(uploads, alice, { itemId: item.id, access: "exclusive" });
  });
});

describe("the history of a session", () => {
  it("is numbered without a gap and can be read from any number on", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, pseudoRandom(5));
    await uploads.completeSession(place, alice);
    const { sessionId } = place;
    const events = await uploads.listSessionEvents({ sessionId, after: 0 }, alice);
    expect(events.map(({ type }) => type)).toEqual(["session.created", "file.added", "file.ready", "session.done"]);
    expect(events.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(await uploads.listSessionEvents({ sessionId, after: 2 }, alice)).toEqual(events.slice(2));
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])("from number %d on is invalid", async (after) => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    await expect(uploads.listSessionEvents({ sessionId, after }, alice)).rejects.toMatchObject({ code: "invalid" });
  });
});
