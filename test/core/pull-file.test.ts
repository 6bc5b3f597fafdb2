import { describe, expect, it } from "vitest";
import { SourceError } from "../../src/core/index.js";
import { bodyOf, pseudoRandom } from "../support/bodies.js";
import { breakOff, contentOf, createGate } from "../support/content-source.js";
import { readBack, startSession } from "../support/uploads.js";
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
    expect(session.failure).toMatchObject({ reason: "file_failed", message: 'file "a.bin": the source says refused' });
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
