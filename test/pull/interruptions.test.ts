// What interrupts a fetch on either side, and what each side keeps of it.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { SourceFailure } from "../../gen/slipway/upload/v1/failure_pb.js";
import { FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import { pseudoRandom } from "../support/bodies.js";
import { openClient, type TestClient } from "../support/client.js";
import { openTestSchema, postgresAvailable } from "../support/postgres.js";
import { makeDataDir, type ServerOptions, startServer, type TestServer } from "../support/server.js";
import { declare, fileOf, type Place, readBack, serveHead, sessionIn, settled, until } from "./scene.js";

const content = pseudoRandom(2_000_000);
const half = 1_200_000;
const env = {
  SLIPWAY_PULL_ALLOW: "127.0.0.1",
  SLIPWAY_CHECKPOINT_INTERVAL: "50ms",
  SLIPWAY_MAX_PULL_TRIES: "20",
};

const enders: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of enders.splice(0).reverse()) await end();
});

/** A source that can be stopped and started again on its port. While `isHeld` it stops in the middle. */
async function startSource() {
  const source = { isHeld: true, requests: [] as IncomingMessage[], port: 0, etag: '"one"' as string | null };
  let server: Server | undefined;
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    source.requests.push(request);
    const from = serveHead(request, response, content.length, source.etag);
    if (source.isHeld) response.write(content.subarray(from, Math.max(from, half)));
    else response.end(content.subarray(from));
  };
  async function start() {
    server = createServer(answer).listen(source.port, "127.0.0.1");
    await once(server, "listening");
    source.port = (server.address() as AddressInfo).port;
  }
  async function stop() {
    const stopped = server;
    server = undefined;
    if (stopped === undefined) return;
    stopped.closeAllConnections();
    stopped.close();
    await once(stopped, "close");
  }
  await start();
  enders.push(stop);
  const ranges = () => source.requests.map(({ headers }) => headers.range);
  return { source, start, stop, ranges, uri: `http://127.0.0.1:${source.port}/a.bin` };
}

async function start(options: ServerOptions): Promise<{ server: TestServer; client: TestClient; dataDir: string }> {
  const server = await startServer({ ...options, env });
  enders.push(() => server.kill());
  const client = openClient(server);
  enders.push(() => client.close());
  return { server, client, dataDir: server.dataDir };
}

const untilHalf = (client: TestClient, place: Place) =>
  until(
    () => fileOf(client, place),
    ({ committedOffset }) => committedOffset === BigInt(half),
  );

describe("a fetch goes on where it was", () => {
  it("after its source was away and came back", async () => {
    const { source, stop, start: startAgain, ranges, uri } = await startSource();
    const { client } = await start({});
    const place = await declare(client, uri);
    await untilHalf(client, place);
    await stop();
    const away = await until(
      () => fileOf(client, place),
      ({ fetch }) => fetch?.problem?.sourceFailure === SourceFailure.UNREACHABLE,
    );
    expect(away.committedOffset).toBe(BigInt(half));
    source.isHeld = false;
    await startAgain();
    expect(await settled(client, place)).toMatchObject({ state: FileState.READY, attempt: 1 });
    expect(ranges()).toEqual([undefined, `bytes=${half}-`]);
    expect(Buffer.compare(await readBack(client, place), content)).toBe(0);
  });

  it("after its source came back with other content, which is begun anew", async () => {
    const { source, stop, start: startAgain, ranges, uri } = await startSource();
    const { client } = await start({});
    const place = await declare(client, uri);
    await untilHalf(client, place);
    await stop();
    source.etag = '"two"';
    source.isHeld = false;
    await startAgain();
    expect(await settled(client, place)).toMatchObject({ state: FileState.READY, attempt: 2 });
    expect(ranges()).toEqual([undefined, `bytes=${half}-`]);
  });

  const engines: readonly (readonly [string, () => Promise<{ options: ServerOptions; drop(): unknown }>])[] = [
    ["the embedded database", async () => ({ options: {}, drop: () => undefined })],
    [
      "PostgreSQL",
      async () => {
        const { url, drop } = await openTestSchema();
        return { options: { databaseUrl: url, dataDir: await makeDataDir() }, drop };
      },
    ],
  ];
  for (const [engine, open] of engines) {
    for (const end of ["stop", "kill"] as const) {
      it.skipIf(engine === "PostgreSQL" && !postgresAvailable())(
        `after the server was ended by ${end}, with ${engine}, and its completion ends by itself`,
        async () => {
          const { options, drop } = await open();
          enders.push(drop);
          const { source, ranges, uri } = await startSource();
          const first = await start(options);
          const place = await declare(first.client, uri);
          const asked = await first.client.sessions.completeSession({ sessionId: place.sessionId });
          expect(asked.session?.state).toBe(SessionState.COMPLETING);
          await untilHalf(first.client, place);
          await first.server[end]();
          source.isHeld = false;
          const { client } = await start({ ...options, dataDir: first.dataDir });
          // Well before a lease would have run out.
          await sessionIn(client, place.sessionId, SessionState.DONE, 30_000);
          expect(ranges()).toEqual([undefined, `bytes=${half}-`]);
          expect(Buffer.compare(await readBack(client, place), content)).toBe(0);
        },
      );
    }
  }
});

it("a server that stops says within seconds that it has, whatever its sources do", async () => {
  const { uri } = await startSource();
  const { server, client } = await start({});
  const { sessionId } = await declare(client, uri);
  for (const name of ["b", "c", "d"]) await declare(client, { name, source: { uri } }, sessionId);
  await until(
    async () => (await client.files.listFiles({ sessionId })).files,
    (files) => files.every(({ committedOffset }) => committedOffset === BigInt(half)),
  );
  client.close();
  const startedAt = performance.now();
  expect(await server.stop()).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(20_000);
  expect(server.stderr()).not.toMatch(/"level":(40|50|60)|WARN|ERROR/);
});
