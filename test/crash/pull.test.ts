// A server that is killed while it fetches something large whose completion has been asked for already.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import { declare, fileOf, type Place, serveHead, sessionIn, until } from "../pull/scene.js";
import { openClient, type TestClient } from "../support/client.js";
import { blockAt, blockBytes, makeBlocks } from "../support/noise-blocks.js";
import { postgresAvailable } from "../support/postgres.js";
import { type ServerOptions, startServer } from "../support/server.js";
import { makePlace } from "./survive-kills.js";

const GiB = 2 ** 30;
/** In which part of the content the server is killed. */
const killsAt = [0.3, 0.6] as const;
const env = { SLIPWAY_PULL_ALLOW: "127.0.0.1" };

/** Serves a GiB that is made as it is asked for, by Range where that is wanted. Tells what was asked. */
async function serveGiB() {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    void stream(response, serveHead(request, response, GiB));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/large.bin`, ranges };
}

async function stream(response: ServerResponse, from: number): Promise<void> {
  const gone = once(response, "close");
  for (let at = from; at < GiB && !response.destroyed; ) {
    const block = blockAt(Math.floor(at / blockBytes)).subarray(at % blockBytes);
    at += block.length;
    if (!response.write(block)) await Promise.race([once(response, "drain"), gone]);
  }
  response.end();
}

function hashAll(): string {
  const { bytes, digest } = makeBlocks(GiB / blockBytes);
  for (const _ of bytes);
  return digest();
}

async function hashRead(client: TestClient, place: Place): Promise<string> {
  const hash = createHash("sha256");
  for await (const { data } of client.files.readFile({ ...place })) hash.update(data);
  return hash.digest("hex");
}

async function surviveKills(options: ServerOptions): Promise<void> {
  const { uri, ranges } = await serveGiB();
  let server = await startServer({ ...options, env });
  onTestFinished(() => server.kill());
  let client = openClient(server, "grpc/2");
  const place = await declare(client, uri);
  const { sessionId } = place;
  const { session } = await client.sessions.completeSession({ sessionId });
  expect(session?.state).toBe(SessionState.COMPLETING);
  const killedAt: number[] = [];
  for (const share of killsAt) {
    const { committedOffset } = await until(
      () => fileOf(client, place),
      (file) => file.committedOffset >= share * GiB || file.state === FileState.READY,
    );
    await server.kill();
    client.close();
    expect(committedOffset, "a kill that interrupts nothing shows nothing").toBeLessThan(GiB);
    killedAt.push(Number(committedOffset));
    server = await startServer({ ...options, env });
    client = openClient(server, "grpc/2");
  }
  await sessionIn(client, sessionId, SessionState.DONE, 120_000);

  // Nothing that was told to be committed was asked for again, and nothing more than that was taken for granted.
  const resumedAt = ranges.slice(1).map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1]));
  expect(ranges[0]).toBeUndefined();
  expect(resumedAt).toHaveLength(killsAt.length);
  for (const [i, offset] of resumedAt.entries()) expect(offset).toBeGreaterThanOrEqual(killedAt[i]!);
  const file = await fileOf(client, place);
  expect(file).toMatchObject({ state: FileState.READY, attempt: 1, content: { sizeBytes: BigInt(GiB) } });
  const expected = hashAll();
  expect(file.content?.checksums.map(({ checksum }) => checksum)).toContain(expected);
  expect(await hashRead(client, place)).toBe(expected);
  client.close();
}

describe("a server that is killed in the middle of a fetch of 1 GiB", { timeout: 300_000 }, () => {
  it("ends its completion by itself, byte for byte, on the embedded database (P3, P5)", async () =>
    surviveKills(await makePlace("the embedded database")));

  it.runIf(postgresAvailable())("ends its completion by itself, byte for byte, on PostgreSQL (P3, P5)", async () =>
    surviveKills(await makePlace("PostgreSQL")),
  );
});
