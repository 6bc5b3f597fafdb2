// One server after another on one folder and one port, under load that never stops.
import { spawn } from "node:child_process";
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SessionEventType } from "../../gen/slipway/upload/v1/event_pb.js";
import { SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import { readBack } from "../rpc/scene.js";
import { readBack as readBlob, refOf } from "../support/blob-messages.js";
import { mainWires, openClient, type TestClient } from "../support/client.js";
import { copyEmbeddedTemplate } from "../support/embedded-template.js";
import { openTestSchema, postgresAvailable } from "../support/postgres.js";
import { adminPassword, logIn, makeDataDir, type ServerProcess, spawnServer } from "../support/server.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import {
  blobs,
  capabilities,
  type Load,
  note,
  openDiary,
  parts,
  puts,
  runClient,
  sendSlowly,
  streams,
  type Whereabouts,
} from "./rolling-load.js";

const bin = fileURLToPath(new URL("../../src/cli/slipway.cjs", import.meta.url));
const mib = 2 ** 20;
const bigBytes = 100 * mib;
/** Few enough that an upload of them all comes to the big one while servers still come and go. */
const smallFiles = 60;
const stdinBytes = 40 * mib;
const restarts = 10;
/** The restarts that find uploads which no time would be enough for. */
const withSlowUploads = new Set([3, 8]);
/** How long the load goes on once every client has got something done at the server that is to go. */
const loadMs = 500;
/** Between two commands that move a lot: the machine has other work, too. */
const breathMs = 2_000;
/** Calls get ten seconds, a start takes two: ten times as much is no pause any more. */
const longestPauseMs = 120_000;

/** Incompressible, and the same again for the same key. */
function* madeBytes(key: Buffer, sizeBytes: number): Generator<Buffer> {
  const cipher = createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
  for (let at = 0; at < sizeBytes; at += mib) yield cipher.update(Buffer.alloc(Math.min(mib, sizeBytes - at)));
}

function sha256Of(chunks: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: mib })) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

interface Report {
  readonly sessionId: string;
  readonly state: string;
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

/** The command line as a process of its own, which nobody helps. */
async function slipway(at: Whereabouts, words: readonly string[], stdin: Iterable<Buffer> = []): Promise<string> {
  const child = spawn(process.execPath, [bin, ...words], {
    env: { PATH: process.env.PATH, SLIPWAY_URL: at.url, SLIPWAY_TOKEN: at.token },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    texts.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    texts.stderr += text;
  });
  child.stdin.on("error", () => undefined);
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  for (const chunk of stdin) {
    if (child.exitCode !== null) break;
    if (!child.stdin.write(chunk)) {
      await Promise.race([new Promise((resolve) => child.stdin.once("drain", resolve)), ended]);
    }
  }
  child.stdin.end();
  const code = await ended;
  if (code !== 0) throw new Error(`slipway ${words.join(" ")} ended with ${code}: ${texts.stderr}`);
  return texts.stdout;
}

/** The servers that follow each other. */
function createHouse(dataDir: string, databaseUrl: string | undefined) {
  const all: ServerProcess[] = [];
  let address = "127.0.0.1:0";
  const waitFor = async (server: ServerProcess, what: string, holds: () => boolean | Promise<boolean>) => {
    let code: number | null | undefined;
    void server.exited.then((exited) => {
      code = exited;
    });
    while (!(await holds())) {
      if (code !== undefined) throw new Error(`a server ended with ${code} before ${what}: ${server.stderr()}`);
      await sleep(20);
    }
  };
  return {
    all,
    url: () => `http://${address}`,
    /** Goes on once the process is there, or with `untilWaiting`, once it waits for the folder. */
    async start(untilWaiting = false): Promise<{ readonly server: ServerProcess; listening(): Promise<void> }> {
      const database = databaseUrl === undefined ? [] : ["--database-url", databaseUrl];
      const flags = ["--listen", address, "--data-dir", dataDir, ...database];
      const server = spawnServer(flags, { SLIPWAY_ADMIN_PASSWORD: adminPassword, SLIPWAY_SWEEP_INTERVAL: "1s" });
      all.push(server);
      if (untilWaiting) {
        const waits = () => server.stderr().includes("waiting for the server that holds the data folder");
        await waitFor(server, "it waited", waits);
      }
      return {
        server,
        async listening() {
          await waitFor(server, "it listened", () => server.stdout().includes("listening on"));
          address = /listening on http:\/\/(\S+)/.exec(server.stdout())?.[1] ?? "";
        },
      };
    },
  };
}

async function verify(client: TestClient, { acknowledged }: Load): Promise<void> {
  const { files, blobs: contents, items, watched } = acknowledged;
  for (const { sessionId, fileId, sha256 } of files) {
    const { session } = await client.sessions.getSession({ sessionId });
    expect(session?.state, `session ${sessionId}`).toBe(SessionState.DONE);
    const back = await readBack(client, { sessionId, fileId });
    expect(createHash("sha256").update(back).digest("hex"), `file ${fileId} of session ${sessionId}`).toBe(sha256);
  }
  for (const content of contents) expect((await readBlob(client, refOf(content))).equals(content)).toBe(true);
  for (const [itemId, times] of items) {
    const { item } = await client.catalog.getItem({ itemId });
    expect(Number(item?.contentVersion), `the content version of item ${itemId}`).toBe(times + 1);
  }
  for (const [sessionId, { numbers, types, files: count }] of watched) {
    expect(numbers, `events of session ${sessionId}`).toEqual(numbers.map((_, index) => index + 1));
    const times = (type: SessionEventType) => types.filter((seen) => seen === type).length;
    const { SESSION_CREATED, FILE_ADDED, FILE_READY, SESSION_DONE } = SessionEventType;
    const told = [SESSION_CREATED, FILE_ADDED, FILE_READY, SESSION_DONE].map(times);
    expect(told, `events of session ${sessionId}`).toEqual([1, count, count, 1]);
    const { session } = await client.sessions.getSession({ sessionId });
    expect(session?.state).toBe(SessionState.DONE);
  }
}

const engines = [
  { engine: "the embedded database", makeHouse: async () => createHouse(await copyEmbeddedTemplate(), undefined) },
  ...(postgresAvailable()
    ? [
        {
          engine: "PostgreSQL",
          makeHouse: async () => createHouse(await makeDataDir(), (await openTestSchema()).url),
        },
      ]
    : []),
];

let root: string;
let key: Buffer;
const bigPath = () => join(root, "folder", "big.bin");
let bigSha256: string;
let stdinSha256: string;

beforeAll(async () => {
  root = await makeTempDir();
  key = randomBytes(16);
  await mkdir(join(root, "folder"));
  const file = await open(bigPath(), "w");
  for (const chunk of madeBytes(key, bigBytes)) await file.write(chunk);
  await file.close();
  bigSha256 = sha256Of(madeBytes(key, bigBytes));
  stdinSha256 = sha256Of(madeBytes(key, stdinBytes));
  for (let n = 0; n < smallFiles; n++) await writeFile(join(root, "folder", `${n}.txt`), randomBytes(1 + n * 40));
});
afterAll(() => removeTempDir(root));

describe.each(engines)("ten servers in turn on one folder and one port, on $engine", ({ makeHouse }) => {
  it("no client sees more than a pause, and nothing is lost (P1-P5)", { timeout: 600_000 }, async () => {
    const house = await makeHouse();
    try {
      await survive(house);
    } finally {
      for (const server of house.all) await server.kill();
    }
  });

  async function survive(house: ReturnType<typeof createHouse>): Promise<void> {
    let current = await house.start();
    await current.listening();
    let token = "";
    while (token === "") ({ token } = await logIn(house.url()));
    const over = new AbortController();
    const load: Load = {
      at: { url: house.url(), token },
      over: over.signal,
      acknowledged: { files: [], blobs: [], items: new Map(), watched: new Map() },
      diaries: [],
    };
    const commands = [uploadFolders, uploadStdin, downloadAgain].map((run) => run(load));
    const clients = mainWires.flatMap((wire) => [
      runClient(load, "UploadFile", wire, streams),
      runClient(load, "UploadPart", wire, parts()),
      runClient(load, "PutFile", wire, puts),
      runClient(load, "UploadBlobs", wire, blobs),
    ]);
    const running: Promise<unknown>[] = [...commands, ...clients, runClient(load, "PUT", "connect/1.1", capabilities)];
    const failed = new Promise<never>((_, reject) => {
      for (const one of running) one.catch(reject);
    });
    failed.catch(() => undefined);

    const restart = async (number: number) => {
      const hurry = new AbortController();
      const slow: Promise<void>[] = [];
      for (const wire of withSlowUploads.has(number) ? mainWires : []) {
        await new Promise<void>((resolve, reject) => {
          slow.push(sendSlowly(load, wire, hurry.signal, resolve));
          slow.at(-1)?.catch(reject);
        });
      }
      await sleep(loadMs);
      const before = current;
      const early = number % 2 === 0;
      const next = early ? await house.start(true) : undefined;
      hurry.abort();
      const since = performance.now();
      expect(await before.server.stop(), before.server.stderr()).toBe(0);
      const stoppedMs = performance.now() - since;
      current = next ?? (await house.start());
      await current.listening();
      const done = new Map(clientDiaries().map((diary) => [diary, diary.done]));
      while (clientDiaries().some((diary) => diary.done === done.get(diary))) await sleep(20);
      await Promise.all(slow);
      const ms = performance.now() - since;
      console.log(`restart ${number}: stopped after ${Math.round(stoppedMs)} ms, all go on after ${Math.round(ms)} ms`);
    };
    const clientDiaries = () => load.diaries.filter(({ name }) => !/slow|slipway|watch/.test(name));
    for (let number = 1; number <= restarts; number++) await Promise.race([restart(number), failed]);
    over.abort();
    await Promise.all(running);

    for (const { name, done, longestPauseMs: ms, seen } of load.diaries) {
      console.log(`${name}: ${done}, longest pause ${Math.round(ms)} ms; ${JSON.stringify([...seen])}`);
      // A command is one thing from its start to its end, through as many restarts as come.
      if (!name.startsWith("slipway")) expect(ms, name).toBeLessThan(longestPauseMs);
      expect(done, name).toBeGreaterThan(0);
    }
    const client = openClient(load.at, "grpc/2");
    await verify(client, load);
    client.close();
    expect(await current.server.stop()).toBe(0);
    const errors = house.all
      .flatMap((server) => server.stderr().split("\n"))
      .filter((line) => /"level":[56]0/.test(line));
    expect(errors).toEqual([]);
    expect(house.all).toHaveLength(restarts + 1);
  }

  async function uploadFolders(load: Load): Promise<void> {
    const diary = openDiary(load, "slipway upload of a folder");
    while (!load.over.aborted) {
      const protocol = diary.done % 2 === 0 ? "connect" : "grpc";
      const folder = join(root, "folder");
      const report = JSON.parse(await slipway(load.at, ["upload", "--json", "--protocol", protocol, folder])) as Report;
      note(diary);
      await sleep(breathMs);
      expect([report.state, report.files.length]).toEqual(["done", smallFiles + 1]);
      expect(report.files.find(({ path }) => path.endsWith("big.bin"))?.sha256).toBe(bigSha256);
    }
  }

  async function uploadStdin(load: Load): Promise<void> {
    const diary = openDiary(load, "slipway upload of standard input");
    while (!load.over.aborted) {
      const words = ["upload", "--json", "-", "--name", "piped"];
      const report = JSON.parse(await slipway(load.at, words, madeBytes(key, stdinBytes))) as Report;
      note(diary);
      expect(report).toMatchObject({ state: "done", files: [{ sha256: stdinSha256 }] });
    }
  }

  async function downloadAgain(load: Load): Promise<void> {
    const diary = openDiary(load, "slipway download");
    const { sessionId } = JSON.parse(await slipway(load.at, ["upload", "--json", bigPath()])) as Report;
    while (!load.over.aborted) {
      const output = join(root, `out-${diary.done % 2}`);
      const protocol = diary.done % 2 === 0 ? "grpc" : "connect";
      await slipway(load.at, ["download", sessionId, "--output", output, "--protocol", protocol]);
      note(diary);
      expect(await readdir(output)).toEqual(["big.bin"]);
      expect(await sha256OfFile(join(output, "big.bin"))).toBe(bigSha256);
      await rm(output, { recursive: true });
      await sleep(breathMs);
    }
  }
});
