// Uploads and downloads over lines that break, stall and lie, by every protocol that the command line speaks.
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startServer, type TestServer } from "../support/server.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { runChild } from "./run-child.js";
import { runCli } from "./run-cli.js";

const mib = 2 ** 20;
const sizeBytes = 24 * mib;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

let server: TestServer;
let line: TcpProxy;
let root: string;
let folder: string;
let env: Record<string, string>;
let counter = 0;

beforeAll(async () => {
  root = await makeTempDir();
  server = await startServer();
  line = await startTcpProxy(server.url);
  env = { SLIPWAY_URL: line.url, SLIPWAY_TOKEN: server.token };
});
afterAll(async () => {
  await line.close();
  await server.kill();
  await removeTempDir(root);
});
beforeEach(async () => {
  folder = join(root, String(counter++));
  await mkdir(folder);
  line.limit(undefined);
  line.limitDown(undefined);
});

/** What happens to the line, three times while the bytes are on their way. */
const troubles: Record<string, () => Promise<void>> = {
  "is dropped": async () => line.drop(),
  "stalls for a while": async () => {
    line.stall(true);
    await sleep(700);
    line.stall(false);
  },
  "stalls and is dropped": async () => {
    line.stall(true);
    await sleep(300);
    line.drop();
    line.stall(false);
  },
  "is closed by half": async () => line.halfClose(),
};

const rows = ["connect", "grpc"].flatMap((protocol) => Object.keys(troubles).map((name) => [protocol, name] as const));

async function during<T>(work: Promise<T>, name: string): Promise<T> {
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  for (let times = 0; times < 3 && !over; times += 1) {
    await sleep(400);
    await troubles[name]?.();
  }
  return await ended;
}

describe.each(rows)("over %s, a line that %s", (protocol, name) => {
  it("takes an upload and a download through, byte for byte", async () => {
    const bytes = randomBytes(sizeBytes);
    await writeFile(join(folder, "movie"), bytes);
    line.limit(12 * mib);
    const words = ["--protocol", protocol, "--json"];
    const up = await during(runCli(["upload", join(folder, "movie"), ...words], { env }), name);
    expect([up.exitCode, up.stderr]).toEqual([0, expect.anything()]);
    const { sessionId, files } = JSON.parse(up.stdout) as { sessionId: string; files: { sha256: string }[] };
    expect(files[0]?.sha256).toBe(sha256(bytes));

    line.limit(undefined);
    line.limitDown(12 * mib);
    const output = join(folder, "out");
    const down = await during(runCli(["download", sessionId, "--output", output, ...words], { env }), name);
    expect([down.exitCode, down.stderr]).toEqual([0, expect.anything()]);
    expect(sha256(await readFile(join(output, "movie")))).toBe(sha256(bytes));
  });
});

it("an upload that ends before it has a session does not say that anything is kept", async () => {
  await writeFile(join(folder, "a"), "a");
  const child = runChild(["upload", join(folder, "a")], { ...env, SLIPWAY_URL: "http://127.0.0.1:1" });
  await expect.poll(() => child.stderr(), { timeout: 10_000 }).toContain("retrying in");
  child.signal("SIGINT");
  expect(await child.exited).toBe(130);
  expect(child.stderr()).toMatch(/\nInterrupted\.\n$/);
});

it("a server that stays away is waited for no longer than --retry-for says", async () => {
  await writeFile(join(folder, "a"), "a");
  const nobody = { ...env, SLIPWAY_URL: "http://127.0.0.1:1" };
  const { exitCode, stderr } = await runCli(["upload", join(folder, "a"), "--retry-for", "1s"], { env: nobody });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/gave up after [\d.]+ s without progress/);
});
