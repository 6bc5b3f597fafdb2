import { createHash } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ChecksumAlgorithm } from "../../gen/slipway/upload/v1/checksum_pb.js";
import { SessionEventType } from "../../gen/slipway/upload/v1/event_pb.js";
import { FailureReason, SourceFailure } from "../../gen/slipway/upload/v1/failure_pb.js";
import { FileFailure, FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import { serve } from "../sources/web.js";
import { pseudoRandom } from "../support/bodies.js";
import { refusalOf } from "../support/client.js";
import { readBack, serveHead, sessionIn, until, usePulls } from "./scene.js";

const pulls = usePulls(() => ({ SLIPWAY_MAX_PULL_TRIES: "3", SLIPWAY_CHECKPOINT_INTERVAL: "100ms" }));
const content = pseudoRandom(1_000_000);
const half = 600_000;

/** Serves the content as it should be served, but for the first time, in which it waits in the middle for `go`. */
async function serveHalf(then: "go on" | "break off" = "go on") {
  let release: () => void = () => undefined;
  const go = new Promise<void>((resolve) => {
    release = resolve;
  });
  const web = await serve(async (request, response) => {
    const isFirst = web.requests.length === 1;
    const from = serveHead(request, response, content.length);
    if (!isFirst) return void response.end(content.subarray(from));
    response.write(content.subarray(0, half));
    await go;
    if (then === "go on") response.end(content.subarray(half));
    else response.destroy();
  });
  return { uri: `${web.url}/a.bin`, web, go: () => release() };
}
const isHalf = (place: { sessionId: string; fileId: string }) =>
  until(
    () => pulls.fileOf(place),
    ({ committedOffset }) => committedOffset === BigInt(half),
  );

describe("a file with a source", () => {
  it("is fetched, verified against what was declared, and readable when its session is done", async () => {
    const web = await serve((_request, response) => response.end(content));
    const checksum = createHash("sha256").update(content).digest("hex");
    const place = await pulls.declare({
      source: { uri: `${web.url}/a.bin` },
      sizeBytes: BigInt(content.length),
      checksums: [{ algorithm: ChecksumAlgorithm.SHA256, checksum }],
    });
    const file = await pulls.settled(place);
    expect(file).toMatchObject({ state: FileState.READY, committedOffset: 1_000_000n, attempt: 1 });
    expect([file.fetch, file.failure]).toEqual([undefined, undefined]);
    const { session } = await pulls.client().sessions.completeSession({ sessionId: place.sessionId });
    expect(session?.state).toBe(SessionState.DONE);
    expect(Buffer.compare(await readBack(pulls.client(), place), content)).toBe(0);
  });

  it("tells where it comes from, how far it is, and how much there is; it has no upload endpoint", async () => {
    const { uri, go } = await serveHalf();
    const place = await pulls.declare(`${uri}?signature=secret#part`);
    const file = await isHalf(place);
    const asked = await pulls.client().files.getFile({ ...place });
    expect(asked.uploadEndpoint).toBeUndefined();
    expect(file).toMatchObject({
      state: FileState.TRANSFERRING,
      spec: { source: { uri: `${uri}?signature=secret` } },
      fetch: { tries: 0, sourceSizeBytes: 1_000_000n },
    });
    expect([file.fetch?.problem, file.fetch?.retryTime]).toEqual([undefined, undefined]);
    const { files } = await pulls.client().files.listFiles({ sessionId: place.sessionId });
    expect(files).toMatchObject([{ fetch: { sourceSizeBytes: 1_000_000n } }]);
    go();
    expect((await pulls.settled(place)).state).toBe(FileState.READY);
  });

  it("whose source breaks off is delayed, says why and when it goes on, and goes on where it was", async () => {
    const { uri, web, go } = await serveHalf("break off");
    const place = await pulls.declare(`${uri}?secret`);
    await isHalf(place);
    go();
    const delayed = await until(
      () => pulls.fileOf(place),
      ({ fetch }) => fetch?.problem !== undefined,
    );
    expect(delayed.fetch).toMatchObject({
      problem: { reason: FailureReason.SOURCE_FAILED, sourceFailure: SourceFailure.ENDED_EARLY },
    });
    expect(delayed.fetch?.problem?.message?.defaultMessage).toBe(
      `${uri}?... ended after 600000 bytes of the 1000000 that it announced; try again later`,
    );
    expect(delayed.fetch?.retryTime).toBeDefined();
    const file = await pulls.settled(place);
    expect(file).toMatchObject({ state: FileState.READY, attempt: 1 });
    expect(web.requests.map(({ headers }) => headers.range)).toEqual([undefined, "bytes=600000-"]);
    expect(Buffer.compare(await readBack(pulls.client(), place), content)).toBe(0);
  });

  it("shows those who watch its session its progress, its delay, its failure and its end", async () => {
    const { uri, go } = await serveHalf("break off");
    const missing = await serve((_request, response) => response.writeHead(404).end());
    const place = await pulls.declare(uri);
    const lost = await pulls.declare({ name: "lost", source: { uri: missing.url } }, place.sessionId);
    const told: string[] = [];
    for await (const { update } of pulls.client().sessions.watchSession({ sessionId: place.sessionId })) {
      if (update.case === "event") {
        const { type, fileId, failure } = update.value;
        told.push(`${SessionEventType[type]} ${fileId} ${SourceFailure[failure?.sourceFailure ?? 0]}`);
        if (type === SessionEventType.FILE_READY) break;
      } else {
        const at = update.value?.files.find(({ fileId }) => fileId === place.fileId)?.committedOffset;
        if (at === BigInt(half)) go();
        if (at !== undefined) told.push(`progress ${at}`);
      }
    }
    expect(told).toContain(`progress ${half}`);
    expect(told).toContain(`FILE_DELAYED ${place.fileId} ENDED_EARLY`);
    expect(told).toContain(`FILE_FAILED ${lost.fileId} NOT_FOUND`);
    expect(told.at(-1)).toBe(`FILE_READY ${place.fileId} UNSPECIFIED`);
  });

  it("cannot be sent by its client", async () => {
    const { uri, go } = await serveHalf();
    const place = await pulls.declare(uri);
    const refused = await refusalOf(pulls.client().files.uploadPart({ ...place, data: content.subarray(0, 10) }));
    expect(refused).toMatchObject({ code: "FAILED_PRECONDITION", reason: "FILE_STATE" });
    go();
    expect((await pulls.settled(place)).state).toBe(FileState.READY);
  });

  it("is let go of when it is removed, and can then be declared again", async () => {
    const { uri, web, go } = await serveHalf();
    const place = await pulls.declare(uri);
    await isHalf(place);
    const [first] = web.requests;
    const closed = once(first!.socket, "close");
    await pulls.client().files.removeFile({ ...place });
    await closed;
    go();
    const again = await pulls.declare(uri, place.sessionId);
    expect(again.fileId).not.toBe(place.fileId);
    expect((await pulls.settled(again)).state).toBe(FileState.READY);
  });

  it("is begun anew when its source changed in between, and has the new content", async () => {
    const other = pseudoRandom(700_000, 2);
    const web = await serve((request, response) => {
      const isFirst = web.requests.length === 1;
      const whole = isFirst ? content : other;
      const from = serveHead(request, response, whole.length, isFirst ? '"one"' : '"two"');
      if (isFirst) response.write(whole.subarray(0, half), () => setTimeout(() => response.destroy(), 300));
      else response.end(whole.subarray(from));
    });
    const place = await pulls.declare(web.url);
    expect(await pulls.settled(place)).toMatchObject({ state: FileState.READY, attempt: 2 });
    expect(web.requests[1]?.headers).toMatchObject({ range: "bytes=600000-", "if-range": '"one"' });
    expect(Buffer.compare(await readBack(pulls.client(), place), other)).toBe(0);
  });

  it("is begun anew when nothing tells whether its source is the same, and has one content and not two", async () => {
    const other = pseudoRandom(content.length, 3);
    const web = await serve((request, response) => {
      const isFirst = web.requests.length === 1;
      serveHead(request, response, content.length, null);
      if (isFirst) response.write(content.subarray(0, half), () => setTimeout(() => response.destroy(), 300));
      else response.end(other);
    });
    const place = await pulls.declare(web.url);
    expect((await pulls.settled(place)).state).toBe(FileState.READY);
    expect(web.requests.map(({ headers }) => headers.range)).toEqual([undefined, undefined]);
    expect(Buffer.compare(await readBack(pulls.client(), place), other)).toBe(0);
  });
});

describe("a completion", () => {
  it("of files that are still being fetched is COMPLETING, and ends by itself", async () => {
    const { uri, go } = await serveHalf();
    const place = await pulls.declare(uri);
    const { sessionId } = place;
    const { session, applied } = await pulls.client().sessions.completeSession({ sessionId });
    expect([session?.state, applied]).toEqual([SessionState.COMPLETING, true]);
    const repeat = await pulls.client().sessions.completeSession({ sessionId });
    expect([repeat.session?.state, repeat.applied]).toEqual([SessionState.COMPLETING, false]);
    await sleep(300);
    go();
    await sessionIn(pulls.client(), sessionId, SessionState.DONE);
    expect(Buffer.compare(await readBack(pulls.client(), place), content)).toBe(0);
  });

  it("opens its session again when a file cannot be had, says why, and can be asked for again", async () => {
    const { uri, go } = await serveHalf();
    const { sessionId } = await pulls.declare(uri);
    const missing = await serve((_request, response) => {
      if (missing.requests.length === 1) response.writeHead(503, { "retry-after": "1" }).end();
      else response.writeHead(404).end();
    });
    const lost = await pulls.declare({ name: "lost", source: { uri: missing.url } }, sessionId);
    await pulls.client().sessions.completeSession({ sessionId });
    await sessionIn(pulls.client(), sessionId, SessionState.ACTIVE);
    const events = [];
    for await (const { update } of pulls.client().sessions.watchSession({ sessionId })) {
      if (update.case !== "event") continue;
      events.push(update.value);
      if (update.value.type === SessionEventType.SESSION_REOPENED) break;
    }
    expect(events.at(-1)?.failure?.message?.defaultMessage).toBe('file "lost" failed');
    const again = await refusalOf(pulls.client().sessions.completeSession({ sessionId }));
    expect(again).toMatchObject({ reason: "FILES_INCOMPLETE", missing: ["lost"] });
    await pulls.client().files.removeFile({ ...lost });
    go();
    await pulls.client().sessions.completeSession({ sessionId });
    await sessionIn(pulls.client(), sessionId, SessionState.DONE);
  });

  it("fails its session with a file that was declared so", async () => {
    const missing = await serve((_request, response) => {
      setTimeout(() => response.writeHead(410).end(), 300);
    });
    const { sessionId } = await pulls.declare({ source: { uri: missing.url }, onFailure: FileFailure.SESSION });
    await pulls.client().sessions.completeSession({ sessionId });
    const session = await sessionIn(pulls.client(), sessionId, SessionState.FAILED);
    expect(session.failure?.reason).toBe(FailureReason.FILE_FAILED);
    expect(session.failure?.message?.defaultMessage).toContain("is gone for good (410)");
  });
});
