import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { AddFileInput } from "../../src/core/index.js";
import { pseudoRandom } from "../support/bodies.js";
import { breakOff, contentOf, createGate } from "../support/content-source.js";
import { readBack, startSession, type UploadsOptions } from "../support/uploads.js";
import { content, declare, fileOf, half, opened, serveHalf, settled, startPulling, told, until } from "./pulling.js";

describe("while a file is being fetched", () => {
  /** A file of which the first half has arrived, and what lets the rest come. */
  async function startHalf(spec: Partial<AddFileInput> = {}, options: UploadsOptions = {}) {
    const pulling = startPulling(options);
    const { gate, uri, atGate } = serveHalf(pulling.fake);
    const place = await declare(pulling.uploads, uri, spec);
    await atGate();
    const ended = () =>
      until(
        () => pulling.fake.open.now,
        (open) => open === 0,
      );
    return { ...pulling, uri, place, gate, ended };
  }

  it("it can be taken out, and is let go of at once", async () => {
    const { uploads, place, ended, ends, puller } = await startHalf();
    await uploads.removeFile(place, opened.alice);
    await ended();
    await until(
      () => puller.running,
      (running) => running === 0,
    );
    await told(ends, ["left"]);
    await expect(uploads.getFile(place, opened.alice)).rejects.toMatchObject({ code: "not_found" });
  });

  it("its session can be cancelled, failed and kept alive", async () => {
    for (const end of ["cancelSession", "failSession"] as const) {
      const { uploads, place, ended, ends, puller } = await startHalf();
      await uploads.keepSessionAlive({ ...place, clientProgress: 10 }, opened.alice);
      await uploads[end]({ ...place, message: "enough" }, opened.alice);
      await ended();
      await until(
        () => puller.running,
        (running) => running === 0,
      );
      expect(ends).toEqual(["left"]);
      expect(await fileOf(place)).toMatchObject({ running: undefined, current: undefined, pull: undefined });
    }
  });

  it("its session can expire, and nobody fetches it any more", async () => {
    const deadlines = { idleTtlMs: 3_600_000, absoluteTtlMs: 700, keepTerminalMs: 3_600_000 };
    const { id: sessionId } = await startSession(opened.uploads, opened.alice, { deadlines });
    const { uploads, place, ended, fake, puller } = await startHalf({ sessionId });
    await sleep(800);
    await uploads.sweepRows();
    await ended();
    await until(
      () => puller.running,
      (running) => running === 0,
    );
    expect(await uploads.getSession(place, opened.alice)).toMatchObject({ failure: { reason: "expired" } });
    expect(fake.requests).toHaveLength(1);
  });

  it("it can be declared anew with another source, which is then fetched from its beginning", async () => {
    const { uploads, place, fake, gate } = await startHalf();
    const other = pseudoRandom(400_000, 5);
    const uri = fake.serve(async (request, signal) => contentOf(other, request, signal));
    await declare(uploads, uri, { sessionId: place.sessionId, onExisting: "replace" });
    expect(await settled(place)).toMatchObject({ state: "ready", attempts: 2 });
    gate.open();
    expect(fake.requests.at(-1)?.from).toBeUndefined();
    expect(Buffer.compare(await readBack(uploads, opened.alice, place), other)).toBe(0);
  });

  it("it can be taken out in the moment in which its source fails", async () => {
    const { uploads, fake, ends } = startPulling();
    const { id: sessionId } = await startSession(uploads, opened.alice);
    let fileId = "";
    const uri = fake.serve(async (_request, _signal, count) => {
      if (count === 1) breakOff("unreachable");
      await uploads.removeFile({ sessionId, fileId }, opened.alice);
      return breakOff("not_found");
    });
    fileId = (await declare(uploads, uri, { sessionId })).fileId;
    await until(
      () => ends.length,
      (count) => count === 2,
    );
    await told(ends, ["delayed", "left"]);
  });

  it("validation finds nothing in the way of completion, and an upload status tells how far it is", async () => {
    const { uploads, place } = await startHalf();
    await until(
      () => fileOf(place),
      ({ running }) => running?.offset === half,
    );
    const { missing, invalid } = await uploads.validateSession(place, opened.alice);
    expect({ missing, invalid }).toEqual({ missing: [], invalid: [] });
    expect(await uploads.getUploadStatus(place, opened.alice)).toMatchObject({ kind: "offset", offset: half });
  });

  it("those who watch the session see it grow, be delayed and be ready", async () => {
    const pulling = startPulling();
    const gate = createGate();
    const uri = pulling.fake.serve(async (request, signal, count) =>
      contentOf(content, request, signal, {
        at: { offset: half, run: count === 1 ? (s) => gate.wait(s).then(() => breakOff()) : () => undefined },
      }),
    );
    const { id: sessionId } = await startSession(pulling.uploads, opened.alice);
    const place = await declare(pulling.uploads, uri, { sessionId });
    const seen: string[] = [];
    const watching = new AbortController();
    const call = { ...opened.alice, signal: watching.signal };
    let delayedAt = 0;
    for await (const update of pulling.uploads.watchSession({ sessionId, after: 0 }, call)) {
      if (update.kind === "event") seen.push(update.event.type);
      else for (const { fileId, offset } of update.files) seen.push(`${fileId === place.fileId} ${offset}`);
      if (seen.at(-1) === `true ${half}` && delayedAt === 0) {
        delayedAt = performance.now();
        gate.open();
      }
      // Without being told, a watch looks again only after five seconds.
      if (seen.at(-1) === "file.delayed") expect(performance.now() - delayedAt).toBeLessThan(3_000);
      if (seen.at(-1) === "file.ready") break;
    }
    const told = seen.filter((word, at) => seen.indexOf(word) === at);
    expect(told).toEqual(["session.created", "file.added", `true ${half}`, "file.delayed", "file.ready"]);
  });

  it("strangers find neither it nor what comes of it (P9)", async () => {
    const { uploads, place, gate } = await startHalf();
    for (const stranger of [opened.bob, opened.otherTenant]) {
      const nothing = { code: "not_found" };
      await expect(uploads.getFile(place, stranger)).rejects.toMatchObject(nothing);
      await expect(uploads.completeSession(place, stranger)).rejects.toMatchObject(nothing);
      await expect(declare(uploads, "https://example.com/0", place, stranger)).rejects.toMatchObject(nothing);
    }
    gate.open();
    expect(await settled(place)).toMatchObject({ state: "ready" });
    expect((await uploads.getSession(place, opened.alice)).state).toBe("active");
  });
});
