// Uploads into an item, and downloads from one.
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openClient, type TestClient } from "../support/client.js";
import { startServer, type TestServer } from "../support/server.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { runCli } from "./run-cli.js";

const mib = 2 ** 20;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

let server: TestServer;
let client: TestClient;
let env: Record<string, string>;
let root: string;
let folder: string;
let library: string;
let counter = 0;

beforeAll(async () => {
  root = await makeTempDir();
  server = await startServer();
  client = openClient(server);
  env = { SLIPWAY_URL: server.url, SLIPWAY_TOKEN: server.token };
});
afterAll(async () => {
  client.close();
  await server.kill();
  await removeTempDir(root);
});
beforeEach(async () => {
  folder = join(root, String(counter++));
  library = `library ${counter}`;
  await mkdir(join(folder, "photos"), { recursive: true });
  await client.catalog.createLibrary({ name: library });
});

const run = (...words: string[]) => runCli(words, { env });
const write = (name: string, bytes: Uint8Array | string) => writeFile(join(folder, name), bytes);

describe("upload --into", () => {
  it("makes the item, and says which content version it has", async () => {
    await write("photos/a", "one");
    const first = await run("upload", join(folder, "photos"), "--into", `${library}/summer`);
    expect(first.exitCode).toBe(0);
    expect(first.stdout).toContain(`${library}/summer is at content version 2 now\n`);
    await write("photos/b", "two");
    const second = await run("upload", join(folder, "photos/b"), "--into", `${library}/summer`, "--json");
    expect(JSON.parse(second.stdout)).toMatchObject({ item: { path: `${library}/summer`, contentVersion: 3 } });
  });

  it("names the command that makes the library which is not there", async () => {
    await write("a", "a");
    const { exitCode, stderr } = await run("upload", join(folder, "a"), "--into", "no such/summer");
    expect([exitCode, stderr]).toEqual([
      1,
      "slipway upload: there is no library \"no such\"; `slipway library create 'no such'` makes it\n",
    ]);
  });

  it.each([
    ["--session", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"],
    ["--resume", "--parallel=4"],
  ])("with %s is wrong use", async (...words) => {
    expect((await run("upload", "x", "--into", "a/b", ...words)).exitCode).toBe(2);
  });

  it("wants both of its names", async () => {
    expect((await run("upload", "x", "--into", "library")).exitCode).toBe(2);
  });
});

describe("download LIBRARY/ITEM", () => {
  it("fetches all of it, or what is named, and tells the content version", async () => {
    const bytes = randomBytes(3 * mib);
    await write("photos/a", bytes);
    await write("photos/b", "bee");
    await run("upload", join(folder, "photos"), "--into", `${library}/summer`);
    const out = join(folder, "out");
    const all = await run("download", `${library}/summer`, "--output", out);
    expect(all.exitCode).toBe(0);
    expect(all.stdout).toMatch(/^2 files of content version 2, 3 MiB in .*\nverified end to end: each of 2 files /);
    expect(sha256(await readFile(join(out, "photos/a")))).toBe(sha256(bytes));
    const one = await run("download", `${library}/summer`, "photos/b", "--output", join(folder, "one"), "--json");
    expect(JSON.parse(one.stdout)).toMatchObject({ contentVersion: 2, files: [{ path: "photos/b" }], failed: [] });
    expect(await readdir(join(folder, "one/photos"))).toEqual(["b"]);
    expect((await run("download", `${library}/summer`, "c")).stderr).toContain('the item has no file "c"');
    expect((await run("download", `${library}/winter`)).stderr).toContain('has no item "winter"');
    expect((await run("download", "summer")).exitCode).toBe(2);
  });

  it("says so when a file is replaced while it is downloaded, and leaves nothing half", async () => {
    const output = join(folder, "out");
    await write("a", randomBytes(16 * mib));
    await run("upload", join(folder, "a"), "--into", `${library}/summer`);
    const line = await startTcpProxy(server.url);
    try {
      line.limitDown(8 * mib);
      const slowly = { ...env, SLIPWAY_URL: line.url };
      const downloading = runCli(["download", `${library}/summer`, "--output", output], { env: slowly });
      while ((await readdir(output).catch(() => [])).length === 0);
      const later = randomBytes(16 * mib);
      await write("a", later);
      await run("upload", join(folder, "a"), "--into", `${library}/summer`);
      line.limitDown(undefined);
      line.drop();
      const { exitCode, stderr } = await downloading;
      expect(exitCode).toBe(1);
      expect(stderr).toContain("a was replaced in the item while it was downloaded; the same command fetches what is");
      expect(await readdir(output)).toEqual([]);
      expect((await run("download", `${library}/summer`, "--output", output)).exitCode).toBe(0);
      expect(sha256(await readFile(join(output, "a")))).toBe(sha256(later));
    } finally {
      await line.close();
    }
  });
});

describe("download --output -", () => {
  it("writes one file to standard output, and everything else beside it", async () => {
    await write("photos/a", "the content\n");
    await write("photos/b", "");
    const { stdout } = await run("upload", join(folder, "photos"), "--json");
    const { sessionId } = JSON.parse(stdout) as { sessionId: string };
    const one = await run("download", sessionId, "photos/a", "--output", "-");
    expect([one.exitCode, one.stdout]).toEqual([0, "the content\n"]);
    expect(one.stderr).toContain("verified end to end");
    const quiet = await run("download", sessionId, "photos/b", "--output", "-", "--quiet");
    expect(quiet).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    const several = await run("download", sessionId, "--output", "-");
    expect([several.exitCode, several.stdout]).toEqual([2, ""]);
    expect(several.stderr).toContain("--output - takes one file, and the session has 2: name it");
    expect((await run("download", sessionId, "a", "--output", "-", "--json")).exitCode).toBe(2);
  });
});
