import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type ExtentCommit, UploadError } from "../../src/core/index.js";
import { bodyOf, brokenBody, fedBody, hangingBody, pseudoRandom, sendWhole } from "../support/bodies.js";
import {
  hookBlobs,
  hookMetadata,
  type OpenedUploads,
  openUploads,
  readBack,
  startFile,
  statusOf,
  type UploadsOptions,
} from "../support/uploads.js";

const kib = 1024;
const mib = 1024 * kib;
const finish = () => ({ finish: true });

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

/** The service with every step of storing and every commit written down, in the order in which they ended. */
function watch(options: UploadsOptions = {}) {
  const log: string[] = [];
  const uploads = opened.restart({
    ...options,
    wrapBlobs: hookBlobs({ after: (step) => step !== "createExtent" && step !== "write" && log.push(step) }),
    wrapMetadata: hookMetadata({
      after: (deed) => (deed === "commitExtent" || deed === "finishAttempt") && log.push(deed),
    }),
  });
  return { uploads, log };
}

describe("an answer (P1)", () => {
  it.each([
    ["small content that is finished", 1000, true, ["putSmall", "finishAttempt", "answer"]],
    ["small content that goes on", 1000, false, ["putSmall", "commitExtent", "answer"]],
    ["large content that is finished", 3 * mib, true, ["sync", "finishAttempt", "answer"]],
    ["large content that goes on", 3 * mib, false, ["sync", "commitExtent", "answer"]],
  ])("to %s comes after the sync and the commit", async (_what, length, whole, order) => {
    const { uploads, log } = watch();
    const place = await startFile(uploads, opened.alice);
    const body = sendWhole(pseudoRandom(length));
    await uploads.writePart({ ...place, offset: 0, body, ending: () => ({ finish: whole }) }, opened.alice);
    log.push("answer");
    expect(log).toEqual(order);
  });

  it("to a body that broke comes after its prefix is durable and committed (P3)", async () => {
    for (const [length, store] of [
      [1000, "putSmall"],
      [3 * mib, "sync"],
    ] as const) {
      const { uploads, log } = watch();
      const place = await startFile(uploads, opened.alice);
      const body = brokenBody([pseudoRandom(length)]);
      await expect(uploads.writePart({ ...place, offset: 0, body }, opened.alice)).rejects.toThrow("connection reset");
      expect(log).toEqual([store, "commitExtent"]);
      expect(await statusOf(uploads, opened.alice, place)).toBe(length);
    }
  });
});

describe("an extent whose sync failed (P1)", () => {
  const broken = new UploadError("unavailable", "input/output error", { reason: "STORAGE_UNAVAILABLE" });

  it("is abandoned from its last commit on, and its sync is not called again", async () => {
    let syncs = 0;
    const uploads = opened.restart({
      limits: { checkpointBytes: mib },
      wrapBlobs: hookBlobs({
        before(step) {
          if (step === "sync" && ++syncs === 3) throw broken;
        },
      }),
    });
    const content = pseudoRandom(8 * mib);
    const place = await startFile(uploads, opened.alice);
    const body = sendWhole(content);
    await expect(uploads.writePart({ ...place, offset: 0, body, ending: finish }, opened.alice)).rejects.toBe(broken);
    expect(syncs).toBe(3);
    const offset = (await statusOf(uploads, opened.alice, place)) as number;
    expect(offset).toBeGreaterThan(0);
    expect(offset).toBeLessThan(content.length);

    const rest = { ...place, offset, body: sendWhole(content.subarray(offset)), ending: finish };
    await uploads.writePart(rest, opened.alice);
    expect(Buffer.compare(await readBack(uploads, opened.alice, place), content)).toBe(0);
  });

  it("commits nothing when that was its only sync, and the same bytes can be sent again", async () => {
    let syncs = 0;
    const uploads = opened.restart({
      wrapBlobs: hookBlobs({
        before(step) {
          if (step === "sync" && ++syncs === 1) throw broken;
        },
      }),
    });
    const content = pseudoRandom(mib);
    const place = await startFile(uploads, opened.alice);
    const part = () => ({ ...place, offset: 0, body: sendWhole(content), ending: finish });
    await expect(uploads.writePart(part(), opened.alice)).rejects.toBe(broken);
    expect([syncs, await statusOf(uploads, opened.alice, place)]).toEqual([1, 0]);
    expect((await uploads.writePart(part(), opened.alice)).file.state).toBe("ready");
  });

  it("is not synced by the checkpoint timer while its last sync is still failing", async () => {
    let syncs = 0;
    const uploads = opened.restart({
      limits: { checkpointMs: 20 },
      wrapBlobs: hookBlobs({
        async before(step) {
          if (step !== "sync" || ++syncs > 1) return;
          await sleep(200);
          throw broken;
        },
      }),
    });
    const place = await startFile(uploads, opened.alice);
    const part = { ...place, offset: 0, body: bodyOf([pseudoRandom(mib)]), ending: finish };
    await expect(uploads.writePart(part, opened.alice)).rejects.toBe(broken);
    expect([syncs, await statusOf(uploads, opened.alice, place)]).toEqual([1, 0]);
  });
});

describe("small content", () => {
  it("is stored once, also when the store is slower than the checkpoint timer", async () => {
    const steps: string[] = [];
    const uploads = opened.restart({
      limits: { checkpointMs: 20 },
      wrapBlobs: hookBlobs({
        async before(step) {
          steps.push(step);
          if (step === "putSmall") await sleep(200);
        },
      }),
    });
    const content = pseudoRandom(1000);
    const place = await startFile(uploads, opened.alice);
    await uploads.writePart({ ...place, offset: 0, body: bodyOf([content]), ending: finish }, opened.alice);
    expect(steps).toEqual(["putSmall"]);
    expect(await readBack(uploads, opened.alice, place)).toEqual(content);
  });
});

describe("a commit that failed", () => {
  it("is told, is no progress, and the same part can be sent again (P2)", async () => {
    const away = new UploadError("unavailable", "no database", { reason: "DATABASE_UNAVAILABLE" });
    let failures = 1;
    const uploads = opened.restart({
      wrapMetadata: hookMetadata({
        before(deed) {
          if (deed === "commitExtent" && failures-- > 0) throw away;
        },
      }),
    });
    const content = pseudoRandom(5000);
    const place = await startFile(uploads, opened.alice);
    const part = () => ({ ...place, offset: 0, body: bodyOf([content]) });
    await expect(uploads.writePart(part(), opened.alice)).rejects.toBe(away);
    expect(await statusOf(uploads, opened.alice, place)).toBe(0);
    expect(await uploads.writePart(part(), opened.alice)).toMatchObject({ offset: 5000, applied: true });
  });

  it("is found done when only its answer was lost (P4)", async () => {
    const lost = new UploadError("unavailable", "connection lost", { reason: "DATABASE_UNAVAILABLE" });
    let losses = 1;
    const uploads = opened.restart({
      wrapMetadata: hookMetadata({
        after(deed) {
          if (deed === "finishAttempt" && losses-- > 0) throw lost;
        },
      }),
    });
    const content = pseudoRandom(5000);
    const place = await startFile(uploads, opened.alice);
    const part = () => ({ ...place, offset: 0, body: bodyOf([content]), ending: finish });
    await expect(uploads.writePart(part(), opened.alice)).rejects.toBe(lost);
    expect(await uploads.writePart(part(), opened.alice)).toMatchObject({ applied: false, file: { state: "ready" } });
  });
});

describe("a long stream (P3)", () => {
  it("commits at least every checkpointBytes, and its offset never falls (P2)", async () => {
    const commits: number[] = [];
    const uploads = opened.restart({
      limits: { checkpointBytes: mib, checkpointMs: 60_000 },
      wrapMetadata: hookMetadata({
        after: (deed, input) => deed === "commitExtent" && commits.push(endOf(input as ExtentCommit)),
      }),
    });
    const place = await startFile(uploads, opened.alice);
    const body = sendWhole(pseudoRandom(8 * mib), 64 * kib);
    await uploads.writePart({ ...place, offset: 0, body }, opened.alice);
    const steps = commits.map((end, i) => end - (commits[i - 1] ?? 0));
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(Math.max(...steps)).toBeLessThanOrEqual(mib + 64 * kib);
    expect(commits.at(-1)).toBe(8 * mib);
  });

  it("commits within checkpointMs what came before the client fell silent", async () => {
    const uploads = opened.restart({ limits: { checkpointMs: 100 } });
    const { alice } = opened;
    const place = await startFile(uploads, alice);
    const gone = new AbortController();
    const body = hangingBody([pseudoRandom(100), pseudoRandom(200)]);
    const part = uploads.writePart({ ...place, offset: 0, body }, { ...alice, signal: gone.signal });
    await vi.waitFor(async () => expect(await statusOf(uploads, alice, place)).toBe(300), { timeout: 2000 });
    gone.abort(new Error("client gone"));
    await expect(part).rejects.toThrow("client gone");
    expect(await statusOf(uploads, alice, place)).toBe(300);
  });

  it("commits what trickles in while the client is alive", async () => {
    const uploads = opened.restart({ limits: { checkpointMs: 50 } });
    const { alice } = opened;
    const place = await startFile(uploads, alice);
    const { body, send, end } = fedBody();
    const part = uploads.writePart({ ...place, offset: 0, body, ending: finish }, alice);
    for (let sent = 1; sent <= 5; sent++) {
      send(pseudoRandom(10, sent));
      await vi.waitFor(async () => expect(await statusOf(uploads, alice, place)).toBe(10 * sent), { timeout: 2000 });
    }
    end();
    expect((await part).file.current?.sizeBytes).toBe(50);
    const sent = [1, 2, 3, 4, 5].flatMap((seed) => [...pseudoRandom(10, seed)]);
    expect([...(await readBack(uploads, alice, place))]).toEqual(sent);
  });

  it("keeps what arrived when its call is aborted, and tells the signal's reason", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    const gone = new AbortController();
    const reason = new Error("request aborted");
    const body = hangingBody([pseudoRandom(2 * mib)]);
    const part = uploads.writePart({ ...place, offset: 0, body }, { ...alice, signal: gone.signal });
    setTimeout(() => gone.abort(reason), 50);
    await expect(part).rejects.toBe(reason);
    expect(await statusOf(uploads, alice, place)).toBe(2 * mib);
  });

  it("that is aborted before it begins leaves no trace", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    const call = { ...alice, signal: AbortSignal.abort(new Error("gone")) };
    await expect(uploads.writePart({ ...place, offset: 0, body: bodyOf([]) }, call)).rejects.toThrow("gone");
    expect((await uploads.getFile(place, alice)).file.state).toBe("waiting");
  });
});

function endOf({ extent }: ExtentCommit): number {
  return extent!.offset + extent!.length;
}
