import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Call, SessionUpdate, Uploads } from "../../src/core/index.js";
import { bodyOf, fedBody, pseudoRandom } from "../support/bodies.js";
import {
  hookMetadata,
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

/** Follows a session in the background until it ends or is let go of. */
function follow(
  sessionId: string,
  options: { readonly after?: number; readonly call?: Call; readonly uploads?: Uploads } = {},
) {
  const { after = 0, call = opened.alice, uploads = opened.uploads } = options;
  const stop = new AbortController();
  const updates: SessionUpdate[] = [];
  const ended = (async () => {
    const signal = call.signal ?? stop.signal;
    for await (const update of uploads.watchSession({ sessionId, after }, { ...call, signal })) updates.push(update);
  })();
  ended.catch(() => undefined);
  return {
    ended,
    events: () => updates.flatMap((update) => (update.kind === "event" ? [update.event] : [])),
    progress: () => updates.flatMap((update) => (update.kind === "progress" ? update.files : [])),
    async until(holds: () => boolean) {
      const giveUpAt = performance.now() + 30_000;
      while (!holds()) {
        if (performance.now() > giveUpAt) throw new Error(`it never came: ${JSON.stringify(updates)}`);
        await sleep(5);
      }
    },
    async stop() {
      stop.abort(new Error("seen enough"));
      await expect(ended).rejects.toThrow("seen enough");
    },
  };
}
const numbered = (watch: ReturnType<typeof follow>) => watch.events().map(({ number, type }) => `${number} ${type}`);

describe("watching a session", () => {
  it("tells its history and then what happens, each event once and in order, and ends after the last", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    await storeFile(uploads, alice, pseudoRandom(10), { sessionId, name: "before" });
    const watch = follow(sessionId);
    await watch.until(() => watch.events().length === 3);
    const place = await startFile(uploads, alice, { sessionId, name: "after" });
    await sendFile(uploads, alice, place, pseudoRandom(10));
    await uploads.completeSession({ sessionId }, alice);
    await watch.ended;
    expect(numbered(watch)).toEqual([
      "1 session.created",
      "2 file.added",
      "3 file.ready",
      "4 file.added",
      "5 file.ready",
      "6 session.done",
    ]);
  });

  it.each(["cancelSession", "failSession"] as const)("ends without an error after %s", async (end) => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const watch = follow(sessionId);
    await watch.until(() => watch.events().length === 1);
    await uploads[end]({ sessionId, message: "enough" }, alice);
    await watch.ended;
    expect(watch.events().at(-1)?.number).toBe(2);
  });

  it("that is over tells the rest of its history and ends, and nothing at all after its last event", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    await uploads.cancelSession({ sessionId }, alice);
    for (const [after, told] of [
      [0, 2],
      [1, 1],
      [2, 0],
      [99, 0],
    ] as const) {
      const watch = follow(sessionId, { after });
      await watch.ended;
      expect(watch.events()).toHaveLength(told);
    }
  });

  it("in pieces that are cut anywhere sees every event exactly once", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const writing = (async () => {
      for (let i = 0; i < 60; i++) await startFile(uploads, alice, { sessionId, name: `${i}` });
      await uploads.cancelSession({ sessionId }, alice);
    })();
    const seen: number[] = [];
    for (let ended = false; !ended; ) {
      ended = true;
      for await (const update of uploads.watchSession({ sessionId, after: seen.at(-1) ?? 0 }, alice)) {
        if (update.kind !== "event") continue;
        seen.push(update.event.number);
        ended = update.event.type === "session.canceled";
        if (seen.length % 7 === 0) break;
      }
    }
    await writing;
    expect(seen).toEqual(Array.from({ length: 62 }, (_, i) => i + 1));
  });

  it("by several at once gives all of them the same", async () => {
    const { uploads, alice, admin } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const watches = [alice, alice, admin].map((call) => follow(sessionId, { call }));
    for (let i = 0; i < 20; i++) await startFile(uploads, alice, { sessionId, name: `${i}` });
    await uploads.cancelSession({ sessionId }, alice);
    await Promise.all(watches.map(({ ended }) => ended));
    for (const watch of watches) expect(watch.events().map(({ number }) => number)).toEqual(range(22));
  });

  it("tells how far a file is while it is sent, besides and never as an event", async () => {
    const uploads = opened.restart({ limits: { checkpointBytes: 400_000 } });
    const { alice } = opened;
    const place = await startFile(uploads, alice);
    const watch = follow(place.sessionId, { uploads });
    const body = fedBody();
    const writing = uploads.writePart({ ...place, offset: 0, body: body.body }, alice);
    for (let i = 0; i < 4; i++) body.send(pseudoRandom(200_000));
    await watch.until(() => watch.progress().length > 0);
    const [first] = watch.progress();
    expect(first?.fileId).toBe(place.fileId);
    expect(first?.offset).toBeGreaterThan(0);
    body.end();
    await writing;
    await watch.until(() => watch.progress().at(-1)?.offset === 800_000);
    expect(numbered(watch)).toEqual(["1 session.created", "2 file.added"]);
    await watch.stop();
  });

  it("asks how far the files are no faster than it tells it, however fast events come (P10)", async () => {
    const asked: unknown[] = [];
    const uploads = opened.restart({
      wrapMetadata: hookMetadata({ before: (deed) => deed === "listProgress" && asked.push(deed) }),
    });
    const { alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const startedAt = performance.now();
    const watch = follow(sessionId, { uploads });
    await watch.until(() => watch.events().length === 1);
    for (let i = 0; i < 100; i++) {
      await startFile(uploads, alice, { sessionId, name: `${i}` });
      await watch.until(() => watch.events().length === i + 2);
    }
    expect(asked.length).toBeLessThanOrEqual((performance.now() - startedAt) / 500 + 1);
    await watch.stop();
  });

  it("ends with the call's signal, also when there is always something to tell", async () => {
    const stop = new AbortController();
    let number = 1;
    // Whoever looks hears of the next event already.
    const uploads = opened.restart({
      wrapMetadata: hookMetadata({
        before: async (deed) => {
          if (deed !== "getSession") return;
          if (number === 20) stop.abort(new Error("seen enough"));
          if (number < 40) await startFile(uploads, opened.alice, { sessionId, name: `${number++}` });
        },
      }),
    });
    const { id: sessionId } = await startSession(uploads, opened.alice);
    const watch = follow(sessionId, { uploads, call: { ...opened.alice, signal: stop.signal } });
    await expect(watch.ended).rejects.toThrow("seen enough");
    expect(number).toBeLessThan(25);
  });

  it("says at once that it is there, even when there is nothing to tell", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const updates = uploads.watchSession({ sessionId, after: 1 }, alice)[Symbol.asyncIterator]();
    expect(await updates.next()).toEqual({ done: false, value: { kind: "progress", files: [] } });
    await updates.return?.();
  });

  it("sees what another process does, if later", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const watch = follow(sessionId);
    await watch.until(() => watch.events().length === 1);
    await opened.restart().cancelSession({ sessionId }, alice);
    await watch.ended;
    expect(watch.events()).toHaveLength(2);
  });

  it("that is deleted meanwhile is not found", async () => {
    const { uploads, alice, metadata } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const watch = follow(sessionId);
    await watch.until(() => watch.events().length === 1);
    await metadata.deleteSession({ tenantId: alice.caller.tenantId, sessionId }, () => undefined);
    await expect(watch.ended).rejects.toMatchObject({ code: "not_found", details: { reason: "SESSION_NOT_FOUND" } });
  });

  it("does not keep it alive", async () => {
    const { uploads, alice } = opened;
    const deadlines = { idleTtlMs: 300, absoluteTtlMs: undefined, keepTerminalMs: 60_000 };
    const { id: sessionId } = await startSession(uploads, alice, { deadlines });
    const watch = follow(sessionId);
    await sleep(320);
    await uploads.sweepRows();
    await watch.ended;
    expect(numbered(watch)).toEqual(["1 session.created", "2 session.failed"]);
  });

  it("more often than may be is too many, with the limit's name, and one that stops makes room (P10)", async () => {
    const uploads = opened.restart({ limits: { maxWatches: 2 } });
    const { alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const watches = [follow(sessionId, { uploads }), follow(sessionId, { uploads })];
    for (const watch of watches) await watch.until(() => watch.events().length === 1);
    await expect(follow(sessionId, { uploads }).ended).rejects.toMatchObject({
      code: "too_many",
      details: { reason: "TOO_MANY_WATCHES", limit: { setting: "SLIPWAY_MAX_WATCHES", value: 2 } },
    });
    await watches[0]?.stop();
    const next = follow(sessionId, { uploads });
    await next.until(() => next.events().length === 1);
    await Promise.all([next.stop(), watches[1]?.stop()]);
  });

  it.each([-1, 1.5, 2 ** 53])("after event number %d is invalid", async (after) => {
    const { id } = await startSession(opened.uploads, opened.alice);
    const watching = follow(id, { after }).ended;
    await expect(watching).rejects.toMatchObject({ code: "invalid", details: { reason: "NUMBER_INVALID" } });
  });

  it("goes on while parts are sent and files removed, and never tells a number twice", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const watch = follow(sessionId);
    await Promise.all(
      range(8).map(async (i) => {
        const place = await startFile(uploads, alice, { sessionId, name: `${i}` });
        await uploads.writePart({ ...place, offset: 0, body: bodyOf([pseudoRandom(1000)]) }, alice);
        if (i % 2 === 0) await uploads.removeFile(place, alice);
        else await sendFile(uploads, alice, place, pseudoRandom(1000));
      }),
    );
    const { lastEvent } = (await uploads.completeSession({ sessionId }, alice)).session;
    await watch.ended;
    expect(watch.events().map(({ number }) => number)).toEqual(range(lastEvent));
  });
});

const range = (length: number) => Array.from({ length }, (_, i) => i + 1);
