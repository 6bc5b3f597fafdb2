// Clients that know nothing but the documented operations, on a line that breaks, of a server that is killed.
import { createHash, randomInt } from "node:crypto";
import { request as openRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { Role } from "../../gen/slipway/upload/v1/access_pb.js";
import { openClient } from "../support/client.js";
import { type Fate, startFlakyLine } from "../support/flaky-line.js";
import { logIn } from "../support/imis.js";
import { blockAt, blockBytes } from "../support/noise-blocks.js";
import { postgresAvailable } from "../support/postgres.js";
import { startServer, type TestServer } from "../support/server.js";
import { type BlindContent, uploadBlindly } from "./blind-client.js";
import { createDice, type Dice } from "./model.js";
import { type Database, makePlace } from "./survive-kills.js";

const seed = Number(process.env.CRASH_SEED ?? randomInt(2 ** 31));
const kills = Number(process.env.CRASH_ROUNDS ?? 4);
const env = { SLIPWAY_CHECKPOINT_BYTES: "4MiB", SLIPWAY_CHECKPOINT_INTERVAL: "200ms" };
const mib = 2 ** 20;

/** A recording: the 44 bytes of a WAV's head, and noise of which no two blocks are the same. */
function recording(sizeBytes: number, first: number): BlindContent {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(Math.min(sizeBytes - 8, 2 ** 32 - 1), 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.write("data", 36);
  return {
    contentType: "audio/wav",
    sizeBytes,
    *read(from, to) {
      for (let at = from; at < to; ) {
        const block = Buffer.from(blockAt(first + Math.floor(at / blockBytes)));
        if (at < head.length) head.copy(block);
        const within = at % blockBytes;
        const end = Math.min(blockBytes, within + to - at);
        yield block.subarray(within, end);
        at += end - within;
      }
    },
  };
}

function digestOf(content: BlindContent): string {
  const hash = createHash("sha256");
  for (const bytes of content.read(0, content.sizeBytes)) hash.update(bytes);
  return hash.digest("hex");
}

/** No connection lasts: it breaks in the middle of a part, or with an answer on the way. */
function brittle(dice: Dice): () => Fate {
  return () => (dice.chance(0.5) ? { cutAfterBytes: 1 + dice.below(24 * mib) } : { losesAnswer: 1 + dice.below(4) });
}

/** Everything that somebody may try who knows a session's id, and even the handle that it was made on. */
async function attack(
  port: number,
  token: string,
  paths: readonly string[],
  until: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const answers = new Map<string, number>();
  const noise = Buffer.alloc(1_000, 7);
  while (!until.aborted) {
    for (const path of paths) {
      for (const [method, suffix, headers, body] of [
        ["PUT", "", { "content-range": "0-999" }, noise],
        ["POST", "/save.json", {}, Buffer.from('{"description":"mine"}')],
        ["DELETE", ".json", {}, Buffer.alloc(0)],
        ["GET", ".json", {}, Buffer.alloc(0)],
      ] as const) {
        const status = await askStatus(port, method, path + suffix, token, headers, body).catch(() => undefined);
        if (status !== undefined) answers.set(`${method} ${status}`, (answers.get(`${method} ${status}`) ?? 0) + 1);
        await sleep(5);
      }
    }
  }
  return answers;
}

function askStatus(port: number, method: string, path: string, token: string, headers: object, body: Buffer) {
  return new Promise<number>((resolve, reject) => {
    const all = { authorization: `Bearer ${token}`, "content-length": String(body.length), ...headers };
    const request = openRequest({ host: "127.0.0.1", port, method, path, headers: all, agent: false }, (response) => {
      response.resume();
      response.on("error", reject);
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const archive = "recordings";
const stranger = { name: "mallory", password: "a password of a stranger" };

/** An archive of two entities, and somebody else who may upload. */
async function furnish(server: TestServer) {
  const client = openClient(server);
  try {
    const { library } = await client.catalog.createLibrary({ name: archive });
    const items = ["tape 1", "tape 2"].map((name) => client.catalog.createItem({ libraryId: library!.id, name }));
    await client.access.createUser({ ...stranger, role: Role.UPLOADER });
    return { itemIds: (await Promise.all(items)).map(({ item }) => item!.id) };
  } finally {
    client.close();
  }
}

/** As the service documents it: a stream is opened, read by ranges, and closed. */
async function* readObject(port: number, path: string, token: string): AsyncGenerator<Uint8Array> {
  const headers = { authorization: `Bearer ${token}` };
  const base = `http://127.0.0.1:${port}${path}/stream`;
  const { handle } = (await (await fetch(`${base}/open.json`, { headers })).json()) as { handle: string };
  const rangeBytes = 64 * mib;
  for (let at = 0, size = 1; at < size; at += rangeBytes) {
    const range = `bytes=${at}-${at + rangeBytes - 1}`;
    const answer = await fetch(`${base}/${handle}`, { headers: { ...headers, range } });
    expect(answer.status).toBe(206);
    size = Number(answer.headers.get("content-range")!.split("/")[1]);
    yield* answer.body as unknown as AsyncIterable<Uint8Array>;
  }
  expect((await fetch(`${base}/${handle}/close.json`, { headers })).status).toBe(200);
}

async function survive(database: Database, sizes: readonly [number, number], dice: Dice): Promise<void> {
  const options = { ...(await makePlace(database)), env };
  let server: TestServer = await startServer(options);
  onTestFinished(() => server.kill());
  const { port } = server;
  const { itemIds } = await furnish(server);
  const alice = await logIn(server, { archive });
  const mallory = await logIn(server, { archive, user: stranger.name, password: stranger.password });
  const handle = await alice.openEntity(`I:${itemIds[0]}`);
  const strangersHandles = await Promise.all(itemIds.map((id) => mallory.openEntity(id)));
  const entityPath = `/archives/${archive}/entities/H:${handle}`;
  const contents = [recording(sizes[0], 0), recording(sizes[1], 1_000_000)] as const;
  const lines = await Promise.all(contents.map(() => startFlakyLine(port, brittle(dice.split()))));
  onTestFinished(async () => {
    await Promise.all(lines.map((line) => line.close()));
  });

  const over = new AbortController();
  let attacking: Promise<ReadonlyMap<string, number>> | undefined;
  const uploads = contents.map((content, at) => {
    const parts = dice.split();
    const cut = () => 1 + parts.below(16 * mib);
    const place = { port: lines[at]!.port, entityPath, token: alice.token };
    return uploadBlindly(place, content, cut, (sessionId) => {
      if (at !== 0) return;
      const paths = [handle, ...strangersHandles].map(
        (h) => `/archives/${archive}/entities/H:${h}/create_sessions/${sessionId}`,
      );
      attacking = attack(port, mallory.token, paths, over.signal);
    });
  });
  const ended = Promise.all(uploads).finally(() => over.abort());
  ended.catch(() => undefined);
  let killed = 0;
  for (; killed < kills && !over.signal.aborted; killed++) {
    await sleep(500 + dice.below(1_500));
    await server.kill();
    server = await startServer({ ...options, port });
  }
  const done = await ended;

  const objects = await alice.objects(handle);
  expect(objects.map(({ id }) => id).sort()).toEqual(done.map(({ object }) => object.id).sort());
  for (const [at, { object, refusals }] of done.entries()) {
    const sha256 = digestOf(contents[at]!);
    expect(object).toMatchObject({
      size: contents[at]!.sizeBytes,
      content_type: "audio/wav",
      extension: ".wav",
      sha256,
    });
    const read = createHash("sha256");
    for await (const bytes of readObject(port, `${entityPath}/objects/${object.id}`, alice.token)) read.update(bytes);
    expect(read.digest("hex")).toBe(sha256);
    // A connection that the client has given up may still be there when it asks again: then the newer one counts.
    expect(refusals.filter((text) => !/"superseded"|^\w+ 503/.test(text))).toEqual([]);
  }
  const statuses = [...(await attacking!).keys()];
  expect(statuses.filter((text) => !/ (404|503)$/.test(text))).toEqual([]);
  expect(statuses.length).toBeGreaterThan(0);
  const told = lines.map(
    ({ cuts, lostAnswers }, at) => `${cuts} cuts, ${lostAnswers} lost answers, ${done[at]!.retries} retries`,
  );
  console.log(`CRASH_SEED=${seed} ${database}: ${killed} kills; ${told.join("; ")}`);
  expect(killed).toBeGreaterThan(0);
  expect(Math.min(...lines.map(({ cuts, lostAnswers }) => Math.min(cuts, lostAnswers)))).toBeGreaterThan(0);
}

describe(`clients that only repeat themselves, on a line that breaks (CRASH_SEED=${seed})`, {
  timeout: 600_000,
}, () => {
  it("get a recording of 1 GiB and another one into one entity, byte for byte, while the server is killed and a stranger meddles (P1 to P7, P9)", () =>
    survive("the embedded database", [1_024 * mib, 256 * mib], createDice(seed)));

  it.runIf(postgresAvailable())(
    "get two recordings into one entity of a server on PostgreSQL, byte for byte (P1 to P7, P9)",
    () => survive("PostgreSQL", [192 * mib, 96 * mib], createDice(seed + 1)),
  );
});
