import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { SessionEventType } from "../../gen/slipway/upload/v1/event_pb.js";
import { FailureReason } from "../../gen/slipway/upload/v1/failure_pb.js";
import type { WatchSessionResponse } from "../../gen/slipway/upload/v1/session_service_pb.js";
import { pseudoRandom } from "../support/bodies.js";
import { openClient, readRefusal, type TestClient, wires } from "../support/client.js";
import { startServer, type TestServer } from "../support/server.js";
import { addFile, hangingStream, messagesOf, send, startSession, useServer } from "./scene.js";

const server = useServer();

async function collect(client: TestClient, sessionId: string, after = 0n, signal?: AbortSignal) {
  const updates: WatchSessionResponse[] = [];
  const request = { sessionId, afterEventNumber: after };
  for await (const update of client.sessions.watchSession(request, signal && { signal })) updates.push(update);
  return updates;
}
const eventsOf = (updates: readonly WatchSessionResponse[]) =>
  updates.flatMap(({ update }) => (update.case === "event" ? [update.value] : []));

describe.each(wires)("watching a session over %s", (wire) => {
  it("tells its events with what they are about, and ends with the session", async () => {
    const client = server.client(wire);
    const { id: sessionId } = await startSession(client);
    const watching = collect(client, sessionId);
    const good = await addFile(client, { name: "good.bin" }, sessionId);
    await send(client, good, pseudoRandom(10));
    const wrong = { algorithm: 4, checksum: "0".repeat(64) };
    const bad = await addFile(client, { name: "bad.bin", checksums: [wrong] }, sessionId);
    await send(client, bad, pseudoRandom(10)).catch(() => undefined);
    await client.files.removeFile({ ...bad });
    await client.sessions.failSession({ sessionId, message: "enough" });
    const events = eventsOf(await watching);
    const told = events.map(({ number, type, fileName, fileId }) => [
      Number(number),
      SessionEventType[type],
      fileName,
      fileId,
    ]);
    expect(told).toEqual([
      [1, "SESSION_CREATED", undefined, undefined],
      [2, "FILE_ADDED", "good.bin", good.fileId],
      [3, "FILE_READY", "good.bin", good.fileId],
      [4, "FILE_ADDED", "bad.bin", bad.fileId],
      [5, "FILE_FAILED", "bad.bin", bad.fileId],
      [6, "FILE_REMOVED", "bad.bin", bad.fileId],
      [7, "SESSION_FAILED", undefined, undefined],
    ]);
    expect(events[4]?.failure?.reason).toBe(FailureReason.CHECKSUM_DIFFERS);
    expect(events[6]?.failure).toMatchObject({ reason: FailureReason.CLIENT, message: { defaultMessage: "enough" } });
    expect(events.every(({ time }) => time !== undefined)).toBe(true);
  });

  it("tells how far a file is that is being sent", async () => {
    const client = server.client(wire);
    const place = await addFile(client);
    const stop = new AbortController();
    const silent = new Promise<never>(() => undefined);
    const upload = hangingStream(messagesOf(place, pseudoRandom(300_000), { finish: false }), silent);
    const sending = client.files.uploadFile(upload, { signal: stop.signal });
    const request = { sessionId: place.sessionId, afterEventNumber: 2n };
    for await (const { update } of client.sessions.watchSession(request)) {
      if (update.case !== "progress" || update.value.files.length === 0) continue;
      expect(update.value.files).toMatchObject([{ fileId: place.fileId, committedOffset: 300_000n }]);
      break;
    }
    stop.abort();
    await expect(sending).rejects.toThrow();
  });
});

it("a hundred calls at once are nothing that the server warns of", async () => {
  const client = server.client("grpc/2");
  const { id: sessionId } = await startSession(client);
  const watching = Array.from({ length: 100 }, () => collect(client, sessionId));
  await Promise.all(Array.from({ length: 100 }, () => client.sessions.getSession({ sessionId })));
  await client.sessions.cancelSession({ sessionId });
  await Promise.all(watching);
  expect(server.get().stderr()).not.toContain("Warning");
});

describe("over a restart of the server", () => {
  let running: TestServer | undefined;
  afterEach(async () => {
    await running?.kill();
  });

  it.each(["stop", "kill"] as const)(
    "(%s) each number is seen once, and a stop does not wait for who watches",
    async (how) => {
      running = await startServer();
      let client = openClient(running);
      const { id: sessionId } = await startSession(client);
      const seen: WatchSessionResponse[] = [];
      async function watch(): Promise<void> {
        const after = eventsOf(seen).at(-1)?.number ?? 0n;
        const updates = client.sessions.watchSession({ sessionId, afterEventNumber: after });
        for await (const update of updates) seen.push(update);
      }
      const until = async (count: number) => {
        for (let tries = 0; eventsOf(seen).length < count && tries < 3000; tries++) await sleep(10);
        expect(eventsOf(seen)).toHaveLength(count);
      };
      const broken = watch().then(
        () => undefined,
        (error: unknown) => error,
      );
      await addFile(client, { name: "one" }, sessionId);
      await until(2);
      const startedAt = performance.now();
      await running[how]();
      // Calls may take 10 s to finish; one who watches never would.
      expect(performance.now() - startedAt).toBeLessThan(8_000);
      const error = await broken;
      expect(error).toBeDefined();
      if (how === "stop") expect(readRefusal(error)).toMatchObject({ code: "UNAVAILABLE" });
      client.close();

      running = await startServer({ dataDir: running.dataDir });
      client = openClient(running);
      const rest = watch();
      await addFile(client, { name: "two" }, sessionId);
      await client.sessions.cancelSession({ sessionId });
      await rest;
      expect(eventsOf(seen).map(({ number }) => Number(number))).toEqual([1, 2, 3, 4]);
      client.close();
    },
  );
});
