// The command over real server processes, and what is done to their folders behind their backs.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { runCommandLine } from "../../src/cli/main.js";
import { connectDatabase, type Database } from "../../src/storage/postgres/connect.js";
import { damage } from "../rpc/damage.js";
import { addSomebody, makeItem, type Place, publish, readBack, storeFile } from "../rpc/scene.js";
import { messagesOf, refOf, upload } from "../support/blob-messages.js";
import { pseudoRandom } from "../support/bodies.js";
import { openClient, type TestClient } from "../support/client.js";
import { startServer, type TestServer } from "../support/server.js";
import { runCli } from "./run-cli.js";

const hour = 3_600_000;
const extraId = "0123456789abcdef0123456789abcdef";
let server: TestServer;
let client: TestClient;
let seed = 4000;
const fresh = (length: number) => pseudoRandom(length, seed++) as Uint8Array<ArrayBuffer>;

beforeEach(async () => {
  server = await startServer();
  client = openClient(server, "grpc/2");
});
afterEach(async () => {
  client.close();
  await server.kill();
});

async function restart(): Promise<void> {
  client.close();
  server = await startServer({ dataDir: server.dataDir, port: server.port });
  client = openClient(server, "grpc/2");
}

interface Report {
  readonly findings: readonly Record<string, unknown>[];
  readonly summary: Readonly<Record<string, number>>;
}

const envOf = (token = server.token) => ({ SLIPWAY_URL: server.url, SLIPWAY_TOKEN: token });
const check = (...words: string[]) => runCli(["check", ...words], { env: envOf() });
async function report(...words: string[]): Promise<Report & { readonly exitCode: number }> {
  const { exitCode, stdout } = await check("--json", ...words);
  return { exitCode, ...(JSON.parse(stdout) as Report) };
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at]! ^= 4;
  await writeFile(path, bytes);
}

/** A store with something of every kind, and the contents that are to be damaged in it. */
async function fill() {
  const bytes = { flipped: fresh(200_000), missing: fresh(200_000), blob: fresh(200_000), packed: fresh(3_000) };
  await storeFile(client, fresh(300_000));
  const item = await makeItem(client);
  await publish(client, item.id, { sound: fresh(1_000) });
  for (const length of [500, 150_000]) await upload(client, messagesOf(fresh(length)));
  const flipped = await storeFile(client, bytes.flipped, { name: "flipped.bin" });
  const missing = await storeFile(client, bytes.missing, { name: "missing.bin" });
  await upload(client, messagesOf(bytes.blob));
  // The last record of its pack.
  const packed = await storeFile(client, bytes.packed, { name: "packed.bin" });
  return { bytes, flipped, missing, packed };
}

/** The five kinds of damage, one each. */
async function harm({ bytes }: Awaited<ReturnType<typeof fill>>): Promise<void> {
  const { dataDir } = server;
  await damage(dataDir, bytes.flipped.subarray(0, 64), (path) => flip(path, 1_000));
  await damage(dataDir, bytes.packed.subarray(0, 64), (path, at) => truncate(path, at + 100));
  await damage(dataDir, bytes.missing.subarray(0, 64), (path) => rm(path));
  const extra = join(dataDir, "extents", extraId.slice(0, 2), extraId);
  await mkdir(dirname(extra), { recursive: true });
  await writeFile(extra, "litter");
  await utimes(extra, new Date(Date.now() - 48 * hour), new Date(Date.now() - 48 * hour));
  await damage(dataDir, bytes.blob.subarray(0, 64), (path) => rm(path));
}

/** Changes what is known of the content of a server that is stopped. */
async function changeRows(dataDir: string, change: (knex: Database["knex"]) => Promise<void>): Promise<void> {
  const database = await connectDatabase({ dataDir, poolSize: 1, durability: "fsync" });
  try {
    await change(database.knex);
  } finally {
    await database.close();
  }
}

const stateOf = async (place: Place) => (await client.files.getFile({ ...place })).file?.state;

it("a sound store is done: it exits 0 and says what was looked at", async () => {
  await fill();
  const { exitCode, stdout, stderr } = await check();
  expect([exitCode, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^5 contents and 3 blobs checked, \d\S* \S+ read and compared in .*\nnothing is wrong\n$/);
  const quick = await check("--quick");
  expect(quick.exitCode).toBe(0);
  expect(quick.stdout).toMatch(/^5 contents and 3 blobs checked, .* looked for in /);
});

describe.each(["that was stopped meanwhile", "that goes on running"])("damage to the folder of a server %s", (how) => {
  async function harmed() {
    const stored = await fill();
    if (how === "that was stopped meanwhile") expect(await server.stop()).toBe(0);
    await harm(stored);
    if (how === "that was stopped meanwhile") await restart();
    return stored;
  }

  it("is found, each of it once, told in words with whose bytes they are, and fails with 1", async () => {
    const { bytes, flipped, missing, packed } = await harmed();
    const { exitCode, stdout } = await check();
    expect(exitCode).toBe(1);
    const told = stdout.split(/\n(?! )/).slice(0, -1);
    const of = (word: string, text: string) => told.filter((one) => one.startsWith(`${word}: `) && one.includes(text));
    const owned = (name: string, { sessionId }: Place) =>
      `  is the file "${name}" in session ${sessionId} of the tenant default\n` +
      `  --repair: file "${name}" of session ${sessionId} becomes failed, so that it is sent again`;
    expect(of("damaged", owned("flipped.bin", flipped))).toHaveLength(1);
    expect(of("damaged", refOf(bytes.flipped).digest)).toHaveLength(1);
    expect(of("missing", owned("missing.bin", missing))).toHaveLength(1);
    expect(of("missing", owned("packed.bin", packed))).toHaveLength(1);
    expect(of("missing", "end after 100 of 3000")).toHaveLength(1);
    const blob = `  is the blob sha256-${refOf(bytes.blob).digest} of the tenant default\n  --repair: the blob is taken out`;
    expect(of("missing", blob)).toHaveLength(1);
    expect(of("unreferenced", `e:${extraId}`)).toHaveLength(1);
    expect(told.at(-1)).toBe("5 findings, 0 repaired");
    expect(told.filter((one) => /^[a-z]+: /.test(one))).toHaveLength(5);
  });

  it("is repaired, so that a second check finds nothing and what failed can be sent again", async () => {
    const { bytes, flipped, missing, packed } = await harmed();
    const { exitCode, stdout } = await check("--repair");
    expect([exitCode, stdout.match(/^ {2}repaired: /gm)?.length]).toEqual([0, 5]);
    expect(stdout).toContain("5 findings, 5 repaired");
    const again = await check();
    expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining("nothing is wrong")]);
    for (const place of [flipped, missing, packed]) expect(await stateOf(place)).toBe(FileState.FAILED);
    expect((await upload(client, messagesOf(bytes.blob))).blobs[0]?.applied).toBe(true);
  });
});

it("rows without bytes are told once each: a key that no file has, and content that no place is known of", async () => {
  const [nowhere, placeless] = [fresh(200_000), fresh(200_000)];
  const left = await storeFile(client, nowhere, { name: "nowhere.bin" });
  const lost = await storeFile(client, placeless, { name: "placeless.bin" });
  expect(await server.stop()).toBe(0);
  const key = `e:${extraId}`;
  await changeRows(server.dataDir, async (knex) => {
    const of = ({ fileId }: Place) => knex("files").where({ id: fileId }).select("current_attempt_id");
    expect(await knex("extents").whereIn("attempt_id", of(left)).update({ blob_key: key })).toBe(1);
    expect(await knex("extents").whereIn("attempt_id", of(lost)).delete()).toBe(1);
  });
  await restart();
  const { exitCode, findings } = await report();
  expect(exitCode).toBe(1);
  expect(findings).toHaveLength(2);
  expect(findings).toContainEqual(
    expect.objectContaining({ kind: "missing", blobKey: key, owners: [{ ...left, name: "nowhere.bin" }] }),
  );
  expect(findings).toContainEqual(
    expect.objectContaining({
      kind: "inconsistent",
      repair: "impossible",
      owners: [{ ...lost, name: "placeless.bin" }],
    }),
  );
});

describe("the options of check", () => {
  it("--quick finds what is missing and no flipped bit", async () => {
    await harm(await fill());
    const { exitCode, findings, summary } = await report("--quick");
    expect(exitCode).toBe(1);
    expect(findings.map(({ kind }) => kind).sort()).toEqual(["missing", "missing", "missing", "unreferenced"]);
    expect(summary).toMatchObject({ contents: 5, blobs: 3, findings: 4 });
  });

  it("--json prints one object with each finding and the summary", async () => {
    const { bytes, flipped } = await fill();
    await damage(server.dataDir, bytes.flipped.subarray(0, 64), (path) => flip(path, 1_000));
    const { exitCode, findings, summary } = await report();
    expect(exitCode).toBe(1);
    expect(findings).toEqual([
      {
        kind: "damaged",
        message: expect.stringContaining("instead of"),
        tenant: "default",
        tenantId: expect.any(String),
        owners: [{ ...flipped, name: "flipped.bin" }],
        blobKey: expect.stringMatching(/^e:/),
        offset: 0,
        sizeBytes: 200_000,
        expected: `sha256-${refOf(bytes.flipped).digest}`,
        actual: expect.stringMatching(/^sha256-[0-9a-f]{64}$/),
        repair: "possible",
        repairMessage: expect.stringContaining("becomes failed"),
      },
    ]);
    expect(summary).toEqual({
      contents: 5,
      blobs: 3,
      bytes: expect.any(Number),
      findings: 1,
      repaired: 0,
      young: 0,
    });
  });

  it("--unreferenced-after tells of younger litter, which a repair leaves where it is", async () => {
    const path = join(server.dataDir, "extents", extraId.slice(0, 2), extraId);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "litter");
    await utimes(path, new Date(Date.now() - 2 * hour), new Date(Date.now() - 2 * hour));
    expect(await report()).toMatchObject({ exitCode: 0, findings: [], summary: { young: 1 } });
    expect(await report("--unreferenced-after", "1h", "--repair")).toMatchObject({
      exitCode: 1,
      findings: [{ kind: "unreferenced", repair: "possible" }],
    });
    expect((await stat(path)).size).toBe(6);
    const wrong = await check("--unreferenced-after", "soon");
    expect([wrong.exitCode, wrong.stdout]).toEqual([2, ""]);
  });
});

it("what no store makes is told with its path, stays where it is, and fails with 1 also after a repair", async () => {
  await writeFile(join(server.dataDir, "packs", "notes.txt"), "hello");
  const { exitCode, stdout } = await check("--repair");
  expect([exitCode, stdout]).toEqual([1, expect.stringContaining("1 finding, 0 repaired")]);
  expect(stdout).toMatch(/^foreign: packs\/notes\.txt is not the store's/m);
  expect(await readFile(join(server.dataDir, "packs", "notes.txt"), "utf8")).toBe("hello");
});

it("content of a done session, of which there is no copy, is left, and said what to do about", async () => {
  const bytes = fresh(200_000);
  const place = await storeFile(client, bytes, { name: "kept.bin" });
  await client.sessions.completeSession({ sessionId: place.sessionId });
  await damage(server.dataDir, bytes.subarray(0, 64), (path) => flip(path, 1_000));
  const { exitCode, stdout } = await check("--repair");
  expect([exitCode, stdout]).toEqual([1, expect.stringContaining("bring it back from a backup")]);
  await damage(server.dataDir, bytes.subarray(0, 64), (path) => flip(path, 1_000));
  expect((await check()).exitCode).toBe(0);
  expect(Buffer.compare(await readBack(client, place), bytes)).toBe(0);
});

it("whoever does not keep all tenants is told so in one sentence", async () => {
  const { token } = await addSomebody(client);
  const { exitCode, stdout, stderr } = await runCli(["check"], { env: envOf(token) });
  expect([exitCode, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^slipway check: permission_denied PERMISSION_MISSING: .*\n$/);
});

it.each(["connect", "grpc"])(
  "over %s a check outlives kill -9 of the server: it goes on from its cursor, and tells each finding once",
  async (protocol) => {
    for (let i = 0; i < 40; i++) {
      const bytes = fresh(4_000_000);
      await storeFile(client, bytes, { name: `${i}.bin` });
      if (i % 4 === 0) await damage(server.dataDir, bytes.subarray(0, 64), (path) => flip(path, 1_000));
    }
    let out = "";
    let err = "";
    let paused: Promise<void> | undefined;
    let restarted: Promise<void> | undefined;
    const exitCode = await runCommandLine(["check", "--protocol", protocol], {
      env: envOf(),
      stdin: (async function* () {})(),
      out: {
        write(text: string) {
          out += text;
          // Long enough that progress is due at once when it goes on.
          paused ??= pauseServer(1_500);
        },
      },
      err: {
        isTTY: true,
        columns: 120,
        write(text: string) {
          err += text;
          if (paused !== undefined && / [1-9]\d* contents?, /.test(text)) restarted ??= server.kill().then(restart);
        },
      },
    });
    await restarted;
    expect(restarted).toBeDefined();
    expect(exitCode).toBe(1);
    expect(err).toContain("retrying in");
    expect(out.match(/^damaged: /gm)).toHaveLength(10);
    expect(new Set(out.match(/"\d+\.bin" in/g)).size).toBe(10);
    // Had it begun anew, what was checked before would count twice.
    expect(out).toMatch(/40 contents and 0 blobs checked, .*\n10 findings, 0 repaired\n$/);
  },
);

async function pauseServer(ms: number): Promise<void> {
  process.kill(server.pid, "SIGSTOP");
  await sleep(ms);
  process.kill(server.pid, "SIGCONT");
}

it("--json prints what was found when the server goes away for good, without a summary", async () => {
  for (let i = 0; i < 20; i++) {
    const bytes = fresh(4_000_000);
    await storeFile(client, bytes, { name: `${i}.bin` });
    await damage(server.dataDir, bytes.subarray(0, 64), (path) => flip(path, 1_000));
  }
  let out = "";
  let err = "";
  let killed: Promise<void> | undefined;
  const exitCode = await runCommandLine(["check", "--json", "--retry-for", "1s"], {
    env: envOf(),
    stdin: (async function* () {})(),
    out: {
      write(text: string) {
        out += text;
      },
    },
    err: {
      isTTY: true,
      columns: 120,
      write(text: string) {
        err += text;
        if (/ [1-9]\d* findings?/.test(text)) killed ??= server.kill();
      },
    },
  });
  await killed;
  expect(killed, err).toBeDefined();
  expect(exitCode).toBe(1);
  const told: Partial<Report> = JSON.parse(out);
  expect(told.summary).toBeUndefined();
  expect(told.findings?.length).toBeGreaterThan(0);
  expect(told.findings?.[0]).toMatchObject({ kind: "damaged" });
});

it("Ctrl-C ends a check with 130, and another one can begin", async () => {
  for (let i = 0; i < 20; i++) {
    const bytes = fresh(8_000_000);
    await storeFile(client, bytes, { name: `${i}.bin` });
    await damage(server.dataDir, bytes.subarray(0, 64), (path) => flip(path, 1_000));
  }
  const bin = fileURLToPath(new URL("../../src/cli/slipway.cjs", import.meta.url));
  const child = spawn(process.execPath, [bin, "check"], { env: { ...process.env, ...envOf() }, stdio: "pipe" });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdout.once("data", () => child.kill("SIGINT"));
  const [code] = await once(child, "close");
  expect([code, stderr]).toEqual([130, "Interrupted.\n"]);
  await expect.poll(async () => (await check("--quick")).stdout, { timeout: 30_000 }).toContain("nothing is wrong");
});

it("a store whose extents are out of reach is no store full of damage: nothing is repaired", async () => {
  const bytes = fresh(200_000);
  await upload(client, messagesOf(bytes));
  await server.stop();
  const extents = join(server.dataDir, "extents");
  const held = await Promise.all(
    (await readdir(extents)).map(async (name) => [name, await readFolder(join(extents, name))] as const),
  );
  await rm(extents, { recursive: true });
  await restart();
  const { exitCode, stdout, stderr } = await check("--repair", "--retry-for", "1s");
  expect([exitCode, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("STORAGE_UNAVAILABLE");
  for (const [name, files] of held) {
    await mkdir(join(extents, name), { recursive: true });
    for (const [id, content] of files) await writeFile(join(extents, name, id), content);
  }
  expect((await check()).exitCode).toBe(0);
});

async function readFolder(folder: string): Promise<readonly (readonly [string, Buffer])[]> {
  return Promise.all((await readdir(folder)).map(async (name) => [name, await readFile(join(folder, name))] as const));
}
