import { describe, expect, it } from "vitest";
import type { AddFileInput } from "../../src/core/index.js";
import { breakOff, contentOf, createGate } from "../support/content-source.js";
import { hookMetadata, makeItem, type OpenedUploads, readBack, startSession } from "../support/uploads.js";
import {
  content,
  declare,
  eventsOf,
  fileOf,
  half,
  opened,
  sessionIn,
  settled,
  startPulling,
  told,
  until,
} from "./pulling.js";

describe("a completion that has to wait for content", () => {
  async function startCompleting(
    then: (count: number) => unknown,
    options: { spec?: Partial<AddFileInput>; itemId?: string } = {},
  ) {
    const pulling = startPulling();
    const gate = createGate();
    const uri = pulling.fake.serve(async (request, signal, count) =>
      contentOf(content, request, signal, {
        at: {
          offset: half,
          run: async (s) => {
            if (count === 1) await gate.wait(s);
            await then(count);
          },
        },
      }),
    );
    const more = options.itemId === undefined ? {} : { itemId: options.itemId };
    const { id: sessionId } = await startSession(pulling.uploads, opened.alice, more);
    const place = await declare(pulling.uploads, uri, { ...options.spec, sessionId });
    const result = await pulling.uploads.completeSession({ sessionId }, opened.alice);
    expect(result).toMatchObject({ applied: true, session: { state: "completing" } });
    return { ...pulling, uri, place, gate };
  }

  it("is answered at once and ends by itself, applied to its item in one step (P5)", async () => {
    const item = await makeItem(opened);
    const { uploads, place, gate } = await startCompleting(() => undefined, { itemId: item.id });
    expect(await uploads.getItem({ itemId: item.id }, opened.alice)).toMatchObject({ contentVersion: 1 });
    gate.open();
    await sessionIn(place, "done");
    expect(await uploads.getItem({ itemId: item.id }, opened.alice)).toMatchObject({ contentVersion: 2 });
    const { body, sizeBytes } = await uploads
      .readItemFile({ itemId: item.id, name: "a.bin" }, opened.alice)
      .then((read) => ({ ...read, sizeBytes: content.length }));
    let length = 0;
    for await (const chunk of body) length += chunk.length;
    expect(length).toBe(sizeBytes);
    expect((await eventsOf(place)).slice(2)).toEqual(["session.completing", "file.ready", "session.done"]);
  });

  it("happens once however often it is asked for (P4)", async () => {
    const { uploads, place, gate } = await startCompleting(() => undefined);
    const asked = await Promise.all(Array.from({ length: 4 }, () => uploads.completeSession(place, opened.alice)));
    expect(asked.every(({ applied, session }) => !applied && session.state === "completing")).toBe(true);
    gate.open();
    await sessionIn(place, "done");
    expect(await uploads.completeSession(place, opened.alice)).toMatchObject({ applied: false });
    expect((await eventsOf(place)).filter((type) => type.startsWith("session."))).toEqual([
      "session.created",
      "session.completing",
      "session.done",
    ]);
  });

  it("allows no change of the files meanwhile", async () => {
    const { uploads, place, uri, gate } = await startCompleting(() => undefined);
    const refused = { code: "wrong_state", details: { reason: "SESSION_STATE" } };
    await expect(declare(uploads, uri, { ...place, name: "b" })).rejects.toMatchObject(refused);
    await expect(uploads.removeFile(place, opened.alice)).rejects.toMatchObject(refused);
    await uploads.keepSessionAlive(place, opened.alice);
    gate.open();
    await sessionIn(place, "done");
  });

  it("opens the session again when a file fails, and can be asked for again", async () => {
    const { uploads, place, uri, gate } = await startCompleting((count) => count === 1 && breakOff("refused"));
    gate.open();
    const session = await sessionIn(place, "active");
    expect(session.failure).toBeUndefined();
    expect((await eventsOf(place)).slice(2)).toEqual(["session.completing", "file.failed", "session.reopened"]);
    const again = uploads.completeSession(place, opened.alice);
    await expect(again).rejects.toMatchObject({ code: "incomplete", details: { missing: ["a.bin"] } });
    await declare(uploads, uri, { sessionId: place.sessionId, onExisting: "replace" });
    await uploads.completeSession(place, opened.alice);
    await sessionIn(place, "done");
    expect(Buffer.compare(await readBack(uploads, opened.alice, place), content)).toBe(0);
  });

  it("opens the session again when the content is not what was declared", async () => {
    const checksums = [{ algorithm: "sha1", value: "00".repeat(20) }];
    const { place, gate } = await startCompleting(() => undefined, { spec: { checksums } });
    gate.open();
    await sessionIn(place, "active");
    expect(await fileOf(place)).toMatchObject({ state: "failed", failure: { reason: "checksum_differs" } });
  });

  it("fails the session with a file that was declared so", async () => {
    const { place, gate } = await startCompleting(() => breakOff("refused"), { spec: { onFailure: "session" } });
    gate.open();
    await sessionIn(place, "failed");
    expect((await eventsOf(place)).slice(2)).toEqual(["session.completing", "file.failed", "session.failed"]);
  });

  it("keeps its item from being deleted", async () => {
    const item = await makeItem(opened);
    const { uploads, place, gate } = await startCompleting(() => undefined, { itemId: item.id });
    const deletion = uploads.deleteItem({ itemId: item.id }, opened.admin);
    await expect(deletion).rejects.toMatchObject({ code: "busy", details: { reason: "ITEM_BUSY" } });
    gate.open();
    await sessionIn(place, "done");
  });

  it("opens the session again when its item is not there any more, and applies nothing", async () => {
    let isGone = false;
    const wrapMetadata = (metadata: OpenedUploads["metadata"]) => ({
      ...metadata,
      completeSession: ((ref, decide) =>
        metadata.completeSession(ref, (view, now) =>
          decide(isGone ? { ...view, item: undefined } : view, now),
        )) as typeof metadata.completeSession,
    });
    const { uploads, fake } = startPulling({ wrapMetadata });
    const gate = createGate();
    const uri = fake.serve(async (request, signal) =>
      contentOf(content, request, signal, { at: { offset: half, run: gate.wait } }),
    );
    const item = await makeItem(opened);
    const { id: sessionId } = await startSession(uploads, opened.alice, { itemId: item.id });
    const place = await declare(uploads, uri, { sessionId });
    await uploads.completeSession({ sessionId }, opened.alice);
    isGone = true;
    gate.open();
    await sessionIn(place, "active");
    const events = await uploads.listSessionEvents({ ...place, after: 0 }, opened.alice);
    expect(events.at(-1)).toMatchObject({ type: "session.reopened" });
    expect(events.at(-1)?.details.message).toContain(item.id);
    expect(await uploads.getItem({ itemId: item.id }, opened.alice)).toMatchObject({ contentVersion: 1 });
  });

  it("can be cancelled", async () => {
    const { uploads, place, puller } = await startCompleting(() => undefined);
    await uploads.cancelSession(place, opened.alice);
    await until(
      () => puller.running,
      (running) => running === 0,
    );
    expect(await sessionIn(place, "canceled")).toMatchObject({ failure: undefined });
  });

  it("ends although nobody was there when the last file came", async () => {
    let crashed = false;
    const wrapMetadata = hookMetadata({
      before(deed) {
        if (crashed && (deed === "listSettleable" || deed === "completeSession")) throw new Error("crashed");
      },
    });
    const { uploads, fake, puller, ends } = startPulling({ wrapMetadata });
    const gate = createGate();
    const uri = fake.serve(async (request, signal) =>
      contentOf(content, request, signal, { at: { offset: half, run: gate.wait } }),
    );
    const place = await declare(uploads, uri);
    await uploads.completeSession(place, opened.alice);
    await until(
      () => gate.waiting,
      (waiting) => waiting === 1,
    );
    crashed = true;
    gate.open();
    await until(
      () => ends.length,
      (count) => count > 0,
    );
    expect(await sessionIn(place, "completing")).toMatchObject({});
    await puller.stop();
    startPulling();
    await sessionIn(place, "done");
  });

  it("is not held up by another one that cannot be ended", async () => {
    let isDown = true;
    const stuck: string[] = [];
    const broken = new Error("its folder hangs");
    const wrapMetadata = hookMetadata({
      before(deed, input) {
        const { sessionId = "" } = input as { sessionId?: string };
        if (deed === "listSettleable" && isDown) throw new Error("nobody is there");
        if (deed === "completeSession" && stuck.includes(sessionId)) throw broken;
      },
    });
    const { uploads, fake, puller } = startPulling({ wrapMetadata });
    const gate = createGate();
    const uri = fake.serve(async (request, signal) =>
      contentOf(content, request, signal, { at: { offset: half, run: gate.wait } }),
    );
    const places = [await declare(uploads, uri), await declare(uploads, uri)];
    for (const place of places) await uploads.completeSession(place, opened.alice);
    gate.open();
    for (const place of places) await settled(place);
    await puller.stop();

    // Whichever comes first in the list is the one that cannot be ended.
    const [first] = await opened.metadata.listSettleable({ limit: 1 });
    stuck.push(first!.sessionId);
    isDown = false;
    const { errors } = startPulling({ wrapMetadata });
    const other = places.find(({ sessionId }) => sessionId !== first!.sessionId)!;
    await sessionIn(other, "done");
    expect(errors).toContain(broken);
    expect(await sessionIn(first!, "completing")).toMatchObject({ failure: undefined });
  });

  it("waits for all of very many files, and ends with the last of them", async () => {
    let looksAtAll = 0;
    const wrapMetadata = hookMetadata({
      before(deed, input) {
        if (deed === "listSettleable" && !("sessionId" in (input as object))) looksAtAll++;
      },
    });
    const { uploads, fake, ends } = startPulling({ wrapMetadata, limits: { maxPulls: 1 } });
    const uri = fake.serve(async (request, signal) => contentOf(content.subarray(0, 1000), request, signal));
    const { id: sessionId } = await startSession(uploads, opened.alice);
    for (let i = 0; i < 40; i++) await declare(uploads, uri, { sessionId, name: `${i}` });
    await uploads.completeSession({ sessionId }, opened.alice);
    await sessionIn({ sessionId }, "done");
    const { things } = await uploads.listFiles({ sessionId, page: { size: 100 } }, opened.alice);
    expect(things.every(({ state }) => state === "ready")).toBe(true);
    await told(ends, Array(40).fill("fetched"));
    // All sessions that are completing may be very many: not every file that comes is a reason to look at them.
    expect(looksAtAll).toBeLessThan(10);
  });
});
