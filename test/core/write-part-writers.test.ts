import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bodyOf, countedBody, fedBody, hangingBody, pseudoRandom, sendWhole } from "../support/bodies.js";
import {
  type FilePlace,
  hookBlobs,
  hookMetadata,
  type OpenedUploads,
  openUploads,
  readBack,
  startFile,
  statusOf,
} from "../support/uploads.js";

const kib = 1024;
const mib = 1024 * kib;
const finish = () => ({ finish: true });
const superseded = { code: "superseded", details: { reason: "WRITER_SUPERSEDED" } };

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

/** A writer whose client never says another word after `sent`, once the file is being transferred. */
async function startHanging(place: FilePlace, sent: Uint8Array, uploads = opened.uploads) {
  const writing = uploads.writePart({ ...place, offset: 0, body: hangingBody([sent]) }, opened.alice);
  const outcome = writing.then(
    () => ({ code: "none" }),
    (error: unknown) => error,
  );
  await vi.waitFor(async () =>
    expect((await opened.uploads.getFile(place, opened.alice)).file.state).toBe("transferring"),
  );
  return { outcome };
}

describe("a newcomer (P7)", () => {
  it("takes over at once from a writer whose client is silent, which is told and has committed nothing more", async () => {
    const { uploads, alice } = opened;
    const content = pseudoRandom(1000, 2);
    const place = await startFile(uploads, alice);
    const old = await startHanging(place, pseudoRandom(500, 1));
    const began = performance.now();
    const result = await uploads.writePart({ ...place, offset: 0, body: bodyOf([content]), ending: finish }, alice);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(result.file.state).toBe("ready");
    expect(await old.outcome).toMatchObject(superseded);
    expect(await readBack(uploads, alice, place)).toEqual(content);
  });

  it("goes on from the old writer's last checkpoint (P3)", async () => {
    const { alice } = opened;
    const uploads = opened.restart({ limits: { checkpointMs: 50 } });
    const content = pseudoRandom(1000);
    const place = await startFile(uploads, alice);
    const old = await startHanging(place, content.subarray(0, 400), uploads);
    await vi.waitFor(async () => expect(await statusOf(uploads, alice, place)).toBe(400));
    const rest = { ...place, offset: 400, body: bodyOf([content.subarray(400)]), ending: finish };
    await uploads.writePart(rest, alice);
    expect(await old.outcome).toMatchObject(superseded);
    expect(await readBack(uploads, alice, place)).toEqual(content);
  });

  it("fences an old writer in another process, which finds out when it commits", async () => {
    const { uploads, alice } = opened;
    const elsewhere = opened.restart();
    const content = pseudoRandom(1000, 2);
    const place = await startFile(uploads, alice);
    const { body, send, end } = fedBody();
    const old = elsewhere.writePart({ ...place, offset: 0, body, ending: finish }, alice);
    send(pseudoRandom(1000, 1));
    await vi.waitFor(async () => expect((await uploads.getFile(place, alice)).file.state).toBe("transferring"));
    await uploads.writePart({ ...place, offset: 0, body: bodyOf([content.subarray(0, 600)]) }, alice);
    end();
    await expect(old).rejects.toMatchObject(superseded);
    expect(await statusOf(uploads, alice, place)).toBe(600);
    const rest = { ...place, offset: 600, body: bodyOf([content.subarray(600)]), ending: finish };
    await uploads.writePart(rest, alice);
    expect(await readBack(uploads, alice, place)).toEqual(content);
  });

  it("fences an old writer that is in the middle of its commit", async () => {
    const { alice } = opened;
    let hold = true;
    const reached = deferred();
    const go = deferred();
    const uploads = opened.restart({
      wrapMetadata: hookMetadata({
        async before(deed) {
          if (deed !== "finishAttempt" || !hold) return;
          hold = false;
          reached.resolve(undefined);
          await go.promise;
        },
      }),
    });
    const place = await startFile(uploads, alice);
    const body = bodyOf([pseudoRandom(1000, 1)]);
    const old = uploads.writePart({ ...place, offset: 0, body, ending: finish }, alice);
    await reached.promise;
    const content = pseudoRandom(1000, 2);
    await uploads.writePart({ ...place, offset: 0, body: bodyOf([content]), ending: finish }, alice);
    go.resolve(undefined);
    await expect(old).rejects.toMatchObject(superseded);
    expect(await readBack(uploads, alice, place)).toEqual(content);
  });

  it("of twenty wins in the end, and the content is one writer's alone", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: 300_000 });
    const contents = Array.from({ length: 20 }, (_, i) => pseudoRandom(300_000, i + 1));
    const parts = contents.map((content) =>
      uploads.writePart({ ...place, offset: 0, restart: true, body: sendWhole(content, 8 * kib) }, alice),
    );
    const outcomes = await Promise.allSettled(parts);
    expect(outcomes.some(({ status }) => status === "fulfilled")).toBe(true);
    for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason).toMatchObject(superseded);
    const stored = await readBack(uploads, alice, place);
    expect(contents.filter((content) => Buffer.compare(content, stored) === 0)).toHaveLength(1);
  });
});

describe("a writer in its seat (P7)", () => {
  const ends: readonly (readonly [string, (place: FilePlace & { name: string }) => Promise<unknown>])[] = [
    ["the session is cancelled", (place) => opened.uploads.cancelSession(place, opened.alice)],
    ["the session is failed", (place) => opened.uploads.failSession({ ...place, message: "no" }, opened.alice)],
    ["the file is removed", (place) => opened.uploads.removeFile(place, opened.alice)],
    [
      "the file is declared anew",
      (place) => opened.uploads.addFile({ ...place, sizeBytes: 9, onExisting: "replace" }, opened.alice),
    ],
  ];
  it.each(ends)("is told at once when %s, though its client is silent", async (_what, end) => {
    const place = await startFile(opened.uploads, opened.alice);
    const old = await startHanging(place, pseudoRandom(500));
    const began = performance.now();
    await end(place);
    expect(await old.outcome).toMatchObject(superseded);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it("is disturbed neither by whoever asks for status or reads, nor by a part that is refused", async () => {
    const { uploads, alice } = opened;
    const content = pseudoRandom(1000);
    const place = await startFile(uploads, alice);
    const { body, send, end } = fedBody();
    const writing = uploads.writePart({ ...place, offset: 0, body, ending: finish }, alice);
    send(content.subarray(0, 500));
    await vi.waitFor(async () => expect((await uploads.getFile(place, alice)).file.state).toBe("transferring"));
    const { running } = (await uploads.getFile(place, alice)).file;
    await uploads.getUploadStatus(place, alice);
    await uploads.validateSession(place, alice);
    await uploads.listFiles({ ...place, page: {} }, alice);
    await expect(uploads.readFile(place, alice)).rejects.toMatchObject({ code: "incomplete" });
    await expect(uploads.completeSession(place, alice)).rejects.toMatchObject({ code: "incomplete" });
    await expect(uploads.writePart({ ...place, offset: 9999, body: bodyOf([]) }, alice)).rejects.toThrow();
    await expect(uploads.addFile({ ...place, sizeBytes: 9 }, alice)).rejects.toMatchObject({ code: "already_exists" });
    expect((await uploads.getFile(place, alice)).file.running).toEqual(running);
    send(content.subarray(500));
    end();
    expect((await writing).file.state).toBe("ready");
    expect(await readBack(uploads, alice, place)).toEqual(content);
  });
});

describe("a fast body (P10)", () => {
  it("is held back by a slow store: no more than the budget and a chunk is taken before it is written", async () => {
    const { alice } = opened;
    const budget = 512 * kib;
    const chunkBytes = 64 * kib;
    let written = 0;
    let most = 0;
    const counted = countedBody(sendWhole(pseudoRandom(8 * mib), chunkBytes));
    const uploads = opened.restart({
      limits: { maxBufferedBytes: budget },
      wrapBlobs: hookBlobs({
        before: (step) => (step === "write" ? sleep(5) : undefined),
        after(step, bytes) {
          if (step !== "write") return;
          most = Math.max(most, counted.pulledBytes - written);
          written += bytes;
        },
      }),
    });
    const place = await startFile(uploads, alice);
    await uploads.writePart({ ...place, offset: 0, body: counted.body, ending: finish }, alice);
    expect(written).toBe(8 * mib);
    expect(most).toBeGreaterThan(chunkBytes);
    expect(most).toBeLessThanOrEqual(budget + 2 * chunkBytes);
  });

  it("shares the budget with all others that are sent at the same time", async () => {
    const { alice } = opened;
    const budget = mib;
    const chunkBytes = 16 * kib;
    const writers = 8;
    let written = 0;
    let most = 0;
    let started = 0;
    const all = deferred();
    // Whoever comes first has a larger share until the others are there.
    async function* together() {
      if (++started === writers) all.resolve(undefined);
      await all.promise;
      yield* sendWhole(pseudoRandom(mib), chunkBytes);
    }
    const bodies = Array.from({ length: writers }, () => countedBody(together()));
    const pulled = () => bodies.reduce((sum, body) => sum + body.pulledBytes, 0);
    const uploads = opened.restart({
      limits: { maxBufferedBytes: budget },
      wrapBlobs: hookBlobs({
        before: (step) => (step === "write" ? sleep(10) : undefined),
        after(step, bytes) {
          if (step !== "write") return;
          most = Math.max(most, pulled() - written);
          written += bytes;
        },
      }),
    });
    const places = await Promise.all(bodies.map(() => startFile(uploads, alice)));
    await Promise.all(
      places.map((place, i) =>
        uploads.writePart({ ...place, offset: 0, body: bodies[i]!.body, ending: finish }, alice),
      ),
    );
    expect(written).toBe(writers * mib);
    expect(most).toBeLessThanOrEqual(budget + writers * 2 * chunkBytes);
  });
});

function deferred() {
  let resolve: (value: unknown) => void = () => undefined;
  const promise = new Promise<unknown>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
