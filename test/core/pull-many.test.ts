import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { UploadError } from "../../src/core/index.js";
import { removeBytes, contentOf as storedOf } from "../support/check.js";
import { breakOff, contentOf, createFakeSource, createGate } from "../support/content-source.js";
import { type FilePlace, hookMetadata, readBack, startSession } from "../support/uploads.js";
import { content, declare, fileOf, half, opened, serveHalf, settled, startPulling, told, until } from "./pulling.js";

describe("fetching", () => {
  it("does no more at the same time than it may", async () => {
    const { uploads, fake, puller } = startPulling({ limits: { maxPulls: 3 } });
    const gate = createGate();
    const uri = fake.serve(async (request, signal) =>
      contentOf(content, request, signal, { at: { offset: half, run: gate.wait } }),
    );
    const { id: sessionId } = await startSession(uploads, opened.alice);
    const { id: otherId } = await startSession(uploads, opened.otherTenant);
    const places: FilePlace[] = [];
    for (let i = 0; i < 6; i++) places.push(await declare(uploads, uri, { sessionId, name: `${i}` }));
    await until(
      () => gate.waiting,
      (waiting) => waiting === 2,
    );
    const theirs = await declare(uploads, uri, { sessionId: otherId }, opened.otherTenant);
    await until(
      () => gate.waiting,
      (waiting) => waiting === 3,
    );
    expect(puller.running).toBe(3);
    gate.open();
    for (const place of places) expect(await settled(place)).toMatchObject({ state: "ready" });
    expect(await settled(theirs, opened.otherTenant)).toMatchObject({ state: "ready" });
    expect(fake.open.most).toBe(3);
  });

  it("leaves the last place to other tenants, who get it while one has very many", async () => {
    const { uploads, fake } = startPulling({ limits: { maxPulls: 2 } });
    const gate = createGate();
    const slow = fake.serve(async (request, signal) =>
      contentOf(content, request, signal, { at: { offset: half, run: gate.wait } }),
    );
    const quick = fake.serve(async (request, signal) => contentOf(content, request, signal));
    const { id: sessionId } = await startSession(uploads, opened.alice);
    for (let i = 0; i < 4; i++) await declare(uploads, slow, { sessionId, name: `${i}` });
    const { id: otherId } = await startSession(uploads, opened.otherTenant);
    for (let i = 0; i < 3; i++) {
      const place = await declare(uploads, quick, { sessionId: otherId, name: `${i}` }, opened.otherTenant);
      expect(await settled(place, opened.otherTenant)).toMatchObject({ state: "ready" });
    }
    expect(gate.waiting).toBe(1);
    gate.open();
  });

  it("works with a single place, too", async () => {
    const { uploads, fake } = startPulling({ limits: { maxPulls: 1 } });
    const uri = fake.serve(async (request, signal) => contentOf(content, request, signal));
    const { id: sessionId } = await startSession(uploads, opened.alice);
    const places = [];
    for (let i = 0; i < 3; i++) places.push(await declare(uploads, uri, { sessionId, name: `${i}` }));
    for (const place of places) expect(await settled(place)).toMatchObject({ state: "ready" });
    expect(fake.open.most).toBe(1);
  });

  it("keeps what has arrived when it stops, and whoever starts next goes on at once", async () => {
    const first = startPulling();
    const { uri, atGate } = serveHalf(first.fake);
    const place = await declare(first.uploads, uri);
    await atGate();
    await first.puller.stop();
    expect([first.puller.running, first.fake.open.now]).toEqual([0, 0]);
    expect(await fileOf(place)).toMatchObject({ running: { offset: half }, pull: { tries: 0, problem: undefined } });
    expect(first.ends).toEqual([]);
    const second = startPulling({}, first.fake);
    expect(await settled(place)).toMatchObject({ state: "ready", attempts: 1 });
    await told(second.ends, ["fetched"]);
    expect(second.fake.requests.map(({ from }) => from?.offset)).toEqual([undefined, half]);
    expect(Buffer.compare(await readBack(second.uploads, opened.alice, place), content)).toBe(0);
  });

  it("does nothing before it starts and after it stops", async () => {
    const fake = createFakeSource();
    const uri = fake.serve(async (request, signal) => contentOf(content, request, signal));
    const uploads = opened.restart();
    const puller = uploads.createPuller({ source: fake.source, onEnd: () => undefined, onError: () => undefined });
    const place = await declare(uploads, uri);
    puller.wake();
    await sleep(100);
    await puller.stop();
    puller.start();
    puller.wake();
    await sleep(100);
    expect(fake.requests).toEqual([]);
    expect(await fileOf(place)).toMatchObject({ state: "waiting" });
  });

  it("goes on when the database was away for a while, at the start and in the middle", async () => {
    let away = true;
    const wrapMetadata = hookMetadata({
      before() {
        if (away) throw new UploadError("unavailable", "away", { reason: "DATABASE_UNAVAILABLE" });
      },
    });
    const fake = createFakeSource();
    const { gate, uri, atGate } = serveHalf(fake);
    const place = await declare(opened.uploads, uri);
    const { puller, ends, errors } = startPulling({ wrapMetadata }, fake);
    await until(
      () => errors.length,
      (count) => count > 0,
    );
    away = false;
    puller.wake();
    await atGate();
    away = true;
    gate.open();
    await until(
      () => ends.length,
      (count) => count > 0,
    );
    expect(ends).toEqual([{ error: expect.objectContaining({ code: "unavailable" }) }]);
    away = false;
    // The lease that the broken try left makes a pause; nobody waits for it here.
    expect(await opened.metadata.returnAllPulls()).toBeGreaterThan(0);
    puller.wake();
    expect(await settled(place)).toMatchObject({ state: "ready" });
    expect(Buffer.compare(await readBack(opened.uploads, opened.alice, place), content)).toBe(0);
  });

  it("gives way to whoever has the lease after it, and neither spoils the content (P7)", async () => {
    const first = startPulling();
    const { gate, uri, atGate } = serveHalf(first.fake);
    const place = await declare(first.uploads, uri);
    await atGate();
    await opened.metadata.returnAllPulls();
    const second = startPulling({}, first.fake);
    expect(await settled(place)).toMatchObject({ state: "ready" });
    gate.open();
    await until(
      () => first.puller.running,
      (running) => running === 0,
    );
    await told(second.ends, ["fetched"]);
    expect(first.ends).toEqual(["left"]);
    expect(Buffer.compare(await readBack(opened.uploads, opened.alice, place), content)).toBe(0);
  });

  it("of one file goes over to itself when its lease ran out meanwhile", async () => {
    const { uploads, fake, puller, ends } = startPulling();
    const { uri, atGate } = serveHalf(fake);
    const place = await declare(uploads, uri);
    await atGate();
    await opened.metadata.returnAllPulls();
    puller.wake();
    expect(await settled(place)).toMatchObject({ state: "ready" });
    await until(
      () => puller.running,
      (running) => running === 0,
    );
    await told(ends, ["fetched"]);
    expect(fake.open.now).toBe(0);
  });

  it("begins anew when what was stored of a file turns out to be lost", async () => {
    const first = startPulling();
    const { uri } = serveHalf(first.fake);
    const place = await declare(first.uploads, uri);
    await until(
      () => fileOf(place),
      ({ running }) => running?.offset === half,
    );
    await first.puller.stop();
    const { extents } = await storedOf(opened.metadata, place.fileId);
    await removeBytes(opened.dataDir, extents[0]!.blobKey);
    const { uploads, ends } = startPulling({}, first.fake);
    const delayed = await until(
      () => fileOf(place),
      ({ pull }) => pull?.problem !== undefined,
    );
    expect(delayed.pull).toMatchObject({ problem: { reason: "content_damaged" }, found: undefined });
    expect(await settled(place)).toMatchObject({ state: "ready", attempts: 2 });
    await told(ends, ["delayed", "fetched"]);
    expect(Buffer.compare(await readBack(uploads, opened.alice, place), content)).toBe(0);
  });

  it("survives a source that fails in a way nobody foresaw, and tells of it", async () => {
    const { uploads, fake, ends } = startPulling();
    const broken = fake.serve(async () => {
      throw new TypeError("a bug");
    });
    const fine = fake.serve(async (request, signal) => contentOf(content, request, signal));
    const place = await declare(uploads, broken);
    await until(
      () => ends.length,
      (count) => count === 1,
    );
    await told(ends, [{ error: expect.objectContaining({ message: "a bug" }) }]);
    expect(await fileOf(place)).toMatchObject({ state: "transferring", pull: { tries: 0 } });
    expect(await settled(await declare(uploads, fine))).toMatchObject({ state: "ready" });
  });

  it("asks for a file of an overdue session no more than once in a while", async () => {
    let leases = 0;
    const { uploads, fake } = startPulling({
      wrapMetadata: hookMetadata({
        before(deed) {
          if (deed === "leasePull") leases++;
        },
      }),
    });
    const uri = fake.serve(async () => breakOff("unreachable"));
    const deadlines = { idleTtlMs: 300, absoluteTtlMs: 300, keepTerminalMs: 3_600_000 };
    const { id: sessionId } = await startSession(uploads, opened.alice, { deadlines });
    const place = await declare(uploads, uri, { sessionId });
    await sleep(1500);
    const before = leases;
    await sleep(1000);
    expect(leases - before).toBeLessThan(5);
    expect(fake.requests.length).toBeLessThanOrEqual(2);
    await uploads.sweepRows();
    expect(await uploads.getSession(place, opened.alice)).toMatchObject({ failure: { reason: "expired" } });
  });
});

it("sessions whose files wait are kept alive from the first look on", async () => {
  let asked = 0;
  const { uploads, fake } = startPulling({
    limits: { maxPulls: 1 },
    wrapMetadata: hookMetadata({
      before(deed) {
        if (deed === "keepPullingAlive") asked++;
      },
    }),
  });
  const gate = createGate();
  const busy = fake.serve(async (request, signal) =>
    contentOf(content, request, signal, { at: { offset: half, run: gate.wait } }),
  );
  await declare(uploads, busy);
  await until(
    () => asked,
    (count) => count > 0,
  );
});
