import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  type AddFileInput,
  type Call,
  type LeasedPull,
  type Puller,
  type PullOutcome,
  type SessionFile,
  SourceError,
  UploadError,
  type Uploads,
} from "../../src/core/index.js";
import { bodyOf, pseudoRandom } from "../support/bodies.js";
import { removeBytes, contentOf as storedOf } from "../support/check.js";
import { breakOff, contentOf, createFakeSource, createGate } from "../support/content-source.js";
import {
  type FilePlace,
  hookMetadata,
  makeItem,
  type OpenedUploads,
  openUploads,
  readBack,
  startSession,
  type UploadsOptions,
} from "../support/uploads.js";

const content = pseudoRandom(700_000);
const half = 300_000;

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

interface Pulling {
  readonly uploads: Uploads;
  readonly puller: Puller;
  readonly fake: ReturnType<typeof createFakeSource>;
  /** How tries ended, in order. */
  readonly ends: (PullOutcome | { readonly error: unknown })[];
  readonly errors: unknown[];
}

const pullers: Puller[] = [];

/** A service that fetches, over the stores of all of them. */
function startPulling(options: UploadsOptions = {}, fake = createFakeSource()): Pulling {
  const uploads = opened.restart({ ...options, limits: { checkpointMs: 50, ...options.limits } });
  const ends: Pulling["ends"] = [];
  const errors: unknown[] = [];
  const puller = uploads.createPuller({
    source: fake.source,
    onEnd: (_pull: LeasedPull, end) => void ends.push(end),
    onError: (error) => void errors.push(error),
  });
  puller.start();
  pullers.push(puller);
  return { uploads, puller, fake, ends, errors };
}

afterEach(async () => {
  for (const puller of pullers.splice(0)) await puller.stop();
  for (const call of [opened.admin, opened.otherTenant]) {
    const { things } = await opened.uploads.listSessions({ page: { size: 1000 } }, call);
    for (const { id, state } of things) {
      if (state === "active" || state === "completing") await opened.uploads.cancelSession({ sessionId: id }, call);
    }
  }
});

async function declare(
  uploads: Uploads,
  uri: string,
  spec: Partial<AddFileInput> = {},
  call: Call = opened.alice,
): Promise<FilePlace> {
  const sessionId = spec.sessionId ?? (await startSession(uploads, call)).id;
  const { file } = await uploads.addFile({ name: "a.bin", source: { uri }, ...spec, sessionId }, call);
  return { sessionId, fileId: file.id };
}

async function until<T>(ask: () => Promise<T> | T, holds: (value: T) => boolean): Promise<T> {
  const giveUpAt = performance.now() + 30_000;
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    if (performance.now() > giveUpAt) throw new Error(`it never came about: ${JSON.stringify(value)}`);
    await sleep(10);
  }
}

const fileOf = async (place: FilePlace, call = opened.alice): Promise<SessionFile> =>
  (await opened.uploads.getFile(place, call)).file;
const settled = (place: FilePlace, call = opened.alice) =>
  until(
    () => fileOf(place, call),
    ({ pull }) => pull === undefined,
  );
const sessionIn = (place: { sessionId: string }, ...states: string[]) =>
  until(
    () => opened.uploads.getSession(place, opened.alice),
    ({ state }) => states.includes(state),
  );
/** A try is told of a moment after what comes of it can be seen. */
async function told(ends: Pulling["ends"], expected: Pulling["ends"]): Promise<void> {
  await until(
    () => ends.length,
    (count) => count >= expected.length,
  );
  expect(ends).toEqual(expected);
}
const eventsOf = async (place: FilePlace) =>
  (await opened.uploads.listSessionEvents({ ...place, after: 0 }, opened.alice)).map(({ type }) => type);

describe("a file with a source", () => {
  it("is fetched as soon as it is declared, and is what the source has", async () => {
    const { uploads, fake, ends } = startPulling();
    const uri = fake.serve(async (request, signal) => contentOf(content, request, signal));
    const place = await declare(uploads, uri, { sizeBytes: content.length });
    const file = await settled(place);
    expect(file).toMatchObject({ state: "ready", attempts: 1, current: { sizeBytes: content.length } });
    expect(Buffer.compare(await readBack(uploads, opened.alice, place), content)).toBe(0);
    await told(ends, ["fetched"]);
    expect(await eventsOf(place)).toEqual(["session.created", "file.added", "file.ready"]);
    await until(
      () => fake.open.now,
      (open) => open === 0,
    );
  });

  it("may be empty", async () => {
    const { uploads, fake } = startPulling();
    const uri = fake.serve(async (request, signal) => contentOf(new Uint8Array(), request, signal));
    expect(await settled(await declare(uploads, uri))).toMatchObject({ state: "ready", current: { sizeBytes: 0 } });
  });

  it("goes on from what has been stored when its source breaks off, if that still has the same content", async () => {
    const { uploads, fake, ends } = startPulling();
    const uri = fake.serve(async (request, signal, count) =>
      contentOf(content, request, signal, count === 1 ? { at: { offset: half, run: () => breakOff() } } : {}),
    );
    const place = await declare(uploads, uri);
    const delayed = await until(
      () => fileOf(place),
      ({ pull }) => pull?.problem !== undefined,
    );
    expect(delayed).toMatchObject({
      state: "transferring",
      running: { offset: half },
      pull: { tries: 0, furthestBytes: half, problem: { reason: "source_failed", source: "ended_early" } },
    });
    expect(await settled(place)).toMatchObject({ state: "ready", attempts: 1 });
    expect(fake.requests.map(({ from }) => from)).toEqual([
      undefined,
      { offset: half, validator: '"one"', sizeBytes: content.length },
    ]);
    expect(Buffer.compare(await readBack(uploads, opened.alice, place), content)).toBe(0);
    await told(ends, ["delayed", "fetched"]);
    expect(await eventsOf(place)).toEqual(["session.created", "file.added", "file.delayed", "file.ready"]);
  });

  it("is begun anew when the source has other content by then, and is that content at the end", async () => {
    const { uploads, fake } = startPulling();
    const other = pseudoRandom(500_000, 2);
    const uri = fake.serve(async (request, signal, count) =>
      count === 1
        ? contentOf(content, request, signal, { at: { offset: half, run: () => breakOff() } })
        : contentOf(other, request, signal, { validator: '"two"' }),
    );
    const place = await declare(uploads, uri);
    expect(await settled(place)).toMatchObject({ state: "ready", attempts: 2, current: { sizeBytes: other.length } });
    expect(Buffer.compare(await readBack(uploads, opened.alice, place), other)).toBe(0);
  });

  it("is begun anew where nothing tells that the source still has the same content", async () => {
    const { uploads, fake } = startPulling();
    const uri = fake.serve(async (request, signal, count) =>
      contentOf(content, request, signal, {
        validator: undefined,
        ...(count === 1 && { at: { offset: half, run: () => breakOff() } }),
      }),
    );
    const place = await declare(uploads, uri);
    expect(await settled(place)).toMatchObject({ state: "ready", attempts: 2 });
    expect(fake.requests.map(({ from }) => from)).toEqual([undefined, undefined]);
    expect(Buffer.compare(await readBack(uploads, opened.alice, place), content)).toBe(0);
  });

  it("fails when its source can never be used, and says why", async () => {
    const { uploads, fake, ends } = startPulling();
    const uri = fake.serve(async () => breakOff("not_found"));
    const place = await declare(uploads, uri);
    expect(await settled(place)).toMatchObject({
      state: "failed",
      running: undefined,
      failure: { reason: "source_failed", source: "not_found", message: "the source says not_found" },
    });
    await told(ends, ["failed"]);
    expect(await eventsOf(place)).toEqual(["session.created", "file.added", "file.failed"]);
    expect((await sessionIn(place, "active")).failure).toBeUndefined();
  });

  it("fails after so many tries in a row that bring nothing new, with what the last one ended with", async () => {
    const { uploads, fake, ends } = startPulling({ limits: { maxPullTries: 2 } });
    const uri = fake.serve(async (_request, _signal, count) => breakOff(count === 1 ? "unreachable" : "timed_out"));
    const file = await settled(await declare(uploads, uri));
    expect(file).toMatchObject({ state: "failed", failure: { source: "timed_out" } });
    await until(
      () => ends.length,
      (count) => count === 2,
    );
    await told(ends, ["delayed", "failed"]);
  });

  it("fails with its session when it was declared so", async () => {
    const { uploads, fake } = startPulling();
    const uri = fake.serve(async () => breakOff("refused"));
    const place = await declare(uploads, uri, { onFailure: "session" });
    const session = await sessionIn(place, "failed");
    expect(session.failure).toMatchObject({ reason: "file_failed", message: "the source says refused" });
  });

  it.each([
    ["shorter than declared", { sizeBytes: 700_001 }, {}, "size_differs"],
    ["longer than declared", { sizeBytes: 699_999 }, {}, "size_differs"],
    [
      "shorter than declared, which it does not say before",
      { sizeBytes: 700_001 },
      { sizeBytes: null },
      "size_differs",
    ],
    ["longer than declared, which it does not say before", { sizeBytes: 699_999 }, { sizeBytes: null }, "size_differs"],
    ["without an end that could be told", {}, { sizeBytes: null, hasEnd: false }, "response_invalid"],
  ] as const)("fails when its source is %s", async (_title, spec, options, failure) => {
    const { uploads, fake } = startPulling();
    const uri = fake.serve(async (request, signal) => contentOf(content, request, signal, options));
    const file = await settled(await declare(uploads, uri, spec));
    expect(file).toMatchObject({ state: "failed", failure: { source: failure }, current: undefined });
    await until(
      () => fake.open.now,
      (open) => open === 0,
    );
  });

  it.each([
    ["which it says before", {}],
    ["which it does not say", { sizeBytes: null }],
  ] as const)("fails when its source has more than a file may have, %s", async (_title, options) => {
    const { uploads, fake } = startPulling({ limits: { maxFileBytes: 500_000 } });
    const uri = fake.serve(async (request, signal) => contentOf(content, request, signal, options));
    const file = await settled(await declare(uploads, uri));
    expect(file).toMatchObject({ state: "failed", failure: { source: "too_large" } });
    expect(file.failure?.message).toContain("500000");
  });

  it("is tried again when a source whose end cannot be told ends before the declared size", async () => {
    const { uploads, fake, ends } = startPulling();
    const uri = fake.serve(async (request, signal, count) =>
      contentOf(content, request, signal, {
        sizeBytes: null,
        hasEnd: false,
        ...(count === 1 && { cutAt: half }),
      }),
    );
    const place = await declare(uploads, uri, { sizeBytes: content.length });
    expect(await settled(place)).toMatchObject({ state: "ready" });
    await told(ends, ["delayed", "fetched"]);
    expect(Buffer.compare(await readBack(uploads, opened.alice, place), content)).toBe(0);
  });

  it("fails when it is not what was declared (P6), and the content of before stays", async () => {
    const { uploads, fake, ends } = startPulling();
    const uri = fake.serve(async (request, signal) => contentOf(content, request, signal));
    const place = await declare(uploads, uri);
    await settled(place);
    const checksums = [{ algorithm: "sha256", value: "00".repeat(32) }];
    await declare(uploads, uri, { sessionId: place.sessionId, checksums, onExisting: "replace" });
    expect(await settled(place)).toMatchObject({
      state: "failed",
      failure: { reason: "checksum_differs" },
      current: { sizeBytes: content.length },
    });
    await told(ends, ["fetched", "failed"]);
  });

  it("that has failed is fetched again when it is declared anew with REPLACE, and stays as it is otherwise", async () => {
    const { uploads, fake } = startPulling();
    const uri = fake.serve(async (request, signal, count) =>
      count === 1 ? breakOff("not_found") : contentOf(content, request, signal),
    );
    const place = await declare(uploads, uri);
    await settled(place);
    const again = { name: "a.bin", source: { uri }, sessionId: place.sessionId };
    expect(await uploads.addFile(again, opened.alice)).toMatchObject({ applied: false, file: { state: "failed" } });
    expect(await uploads.addFile({ ...again, onExisting: "replace" }, opened.alice)).toMatchObject({
      applied: true,
      file: { id: place.fileId, state: "waiting", pull: { tries: 0 } },
    });
    expect(await settled(place)).toMatchObject({ state: "ready" });
  });

  it("cannot be sent, neither before nor after it has come", async () => {
    const { uploads, fake } = startPulling();
    const gate = createGate();
    const uri = fake.serve(async (request, signal) =>
      contentOf(content, request, signal, { at: { offset: half, run: gate.wait } }),
    );
    const place = await declare(uploads, uri);
    const send = (restart: boolean) =>
      uploads.writePart({ ...place, offset: 0, restart, body: bodyOf([content]) }, opened.alice);
    const refused = { code: "wrong_state", details: { reason: "FILE_STATE" } };
    await until(
      () => gate.waiting,
      (waiting) => waiting > 0,
    );
    await expect(send(false)).rejects.toMatchObject(refused);
    await expect(send(true)).rejects.toMatchObject(refused);
    gate.open();
    await settled(place);
    await expect(send(false)).rejects.toMatchObject(refused);
    await expect(send(true)).rejects.toMatchObject(refused);
    expect(await settled(place)).toMatchObject({ state: "ready", attempts: 1 });
  });

  it("can be sent once it is declared without the source", async () => {
    const { uploads, fake } = startPulling();
    const gate = createGate();
    const uri = fake.serve(async (request, signal) =>
      contentOf(content, request, signal, { at: { offset: half, run: gate.wait } }),
    );
    const place = await declare(uploads, uri);
    await until(
      () => gate.waiting,
      (waiting) => waiting > 0,
    );
    const plain = { name: "a.bin", sessionId: place.sessionId, onExisting: "replace" as const };
    await uploads.addFile(plain, opened.alice);
    const sent = pseudoRandom(1000, 3);
    await uploads.writePart(
      { ...place, offset: 0, body: bodyOf([sent]), ending: () => ({ finish: true }) },
      opened.alice,
    );
    gate.open();
    await until(
      () => fake.open.now,
      (open) => open === 0,
    );
    expect(await readBack(uploads, opened.alice, place)).toEqual(sent);
  });

  it("is refused where a file is put in one call, where its URI cannot be used, and of paths without the permission", async () => {
    const { uploads } = startPulling();
    const words = {
      access: "additive" as const,
      visibility: "owner" as const,
      origin: "test",
      deadlines: { idleTtlMs: 3_600_000, absoluteTtlMs: undefined, keepTerminalMs: 3_600_000 },
    };
    const spec = { name: "a.bin", source: { uri: "https://example.com/a" } };
    const invalid = { code: "invalid", details: { reason: "SOURCE_INVALID" } };
    await expect(uploads.putFile({ ...words, spec, data: content }, opened.alice)).rejects.toMatchObject(invalid);
    for (const uri of ["", "gopher://example.com/a", "https://me:secret@example.com/a", "https:///a"]) {
      await expect(declare(uploads, uri)).rejects.toMatchObject(invalid);
    }
    const denied = { code: "denied", details: { reason: "PERMISSION_MISSING" } };
    for (const uri of ["file:///srv/a.bin", "ds:///srv/a.bin"]) {
      for (const call of [opened.alice, opened.admin, opened.operator]) {
        await expect(declare(uploads, uri, {}, call)).rejects.toMatchObject(denied);
      }
    }
    const { caller } = opened.alice;
    const reader = { caller: { ...caller, permissions: new Set([...caller.permissions, "read_storage" as const]) } };
    await declare(uploads, "file:///srv/a.bin", {}, reader);
  });

  it("has a URI that can be read back, however much longer its normal form is", async () => {
    const { uploads } = startPulling();
    const { id: sessionId } = await startSession(uploads, opened.alice);
    const long = `https://example.com/${"é".repeat(3000)}`;
    const added = await declare(uploads, long, { sessionId }).catch((error: unknown) => error);
    expect(added).toMatchObject({ code: "invalid", details: { reason: "SOURCE_INVALID" } });
    const place = await declare(uploads, `https://example.com/${"é".repeat(1300)}`, { sessionId });
    expect((await fileOf(place)).source?.address.uri).toHaveLength(7820);
    expect(await uploads.listFiles({ sessionId, page: {} }, opened.alice)).toMatchObject({ things: [{}] });
  });
});

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
    const gate = createGate();
    const uri = first.fake.serve(async (request, signal, count) =>
      contentOf(content, request, signal, count === 1 ? { at: { offset: half, run: gate.wait } } : {}),
    );
    const place = await declare(first.uploads, uri);
    await until(
      () => gate.waiting,
      (waiting) => waiting === 1,
    );
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
    const gate = createGate();
    const fake = createFakeSource();
    const uri = fake.serve(async (request, signal, count) =>
      contentOf(content, request, signal, count === 1 ? { at: { offset: half, run: gate.wait } } : {}),
    );
    const place = await declare(opened.uploads, uri);
    const { puller, ends, errors } = startPulling({ wrapMetadata }, fake);
    await until(
      () => errors.length,
      (count) => count > 0,
    );
    away = false;
    puller.wake();
    await until(
      () => gate.waiting,
      (waiting) => waiting === 1,
    );
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
    const gate = createGate();
    const uri = first.fake.serve(async (request, signal, count) =>
      contentOf(content, request, signal, count === 1 ? { at: { offset: half, run: gate.wait } } : {}),
    );
    const place = await declare(first.uploads, uri);
    await until(
      () => gate.waiting,
      (waiting) => waiting === 1,
    );
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
    const gate = createGate();
    const uri = fake.serve(async (request, signal, count) =>
      contentOf(content, request, signal, count === 1 ? { at: { offset: half, run: gate.wait } } : {}),
    );
    const place = await declare(uploads, uri);
    await until(
      () => gate.waiting,
      (waiting) => waiting === 1,
    );
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
    const gate = createGate();
    const uri = first.fake.serve(async (request, signal, count) =>
      contentOf(content, request, signal, count === 1 ? { at: { offset: half, run: gate.wait } } : {}),
    );
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

describe("while a file is being fetched", () => {
  /** A file of which the first half has arrived, and what lets the rest come. */
  async function startHalf(spec: Partial<AddFileInput> = {}, options: UploadsOptions = {}) {
    const pulling = startPulling(options);
    const gate = createGate();
    const uri = pulling.fake.serve(async (request, signal, count) =>
      contentOf(content, request, signal, count === 1 ? { at: { offset: half, run: gate.wait } } : {}),
    );
    const place = await declare(pulling.uploads, uri, spec);
    await until(
      () => gate.waiting,
      (waiting) => waiting === 1,
    );
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

it("a failure that would cut a character in two is still told", async () => {
  const { uploads, fake, ends } = startPulling();
  const odd = `${"x".repeat(97)}${"\u{1f600}".repeat(80)}`;
  const uri = fake.serve(async () => {
    throw new SourceError("not_found", `${odd.slice(0, 100)}... is longer than a path may be`);
  });
  const file = await settled(await declare(uploads, uri));
  expect(file).toMatchObject({ state: "failed", failure: { source: "not_found" } });
  expect(file.failure?.message.isWellFormed()).toBe(true);
  await told(ends, ["failed"]);
});
