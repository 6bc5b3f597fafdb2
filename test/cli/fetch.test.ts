// Files that the server fetches, as the command line declares and shows them.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Readable } from "node:stream";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openClient, type TestClient } from "../support/client.js";
import { startServer, type TestServer } from "../support/server.js";
import { runCli } from "./run-cli.js";

let server: TestServer;
let client: TestClient;
let env: Record<string, string>;
let web: Server;
let site: string;
/** Answers that are held back at half of their content, by path. */
const held = new Map<string, ServerResponse>();
const settings = { SLIPWAY_PULL_ALLOW: "127.0.0.1", SLIPWAY_MAX_PULL_TRIES: "3" };
const content = Buffer.alloc(200_000, "fetched ");
const sha256 = createHash("sha256").update(content).digest("hex");

beforeAll(async () => {
  web = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://here");
    if (pathname.startsWith("/busy")) response.writeHead(503, { "retry-after": "3600" }).end();
    else if (pathname.startsWith("/held")) {
      response.writeHead(200, { "content-length": content.length, etag: '"1"' }).write(content.subarray(0, 100_000));
      held.set(pathname, response);
    } else if (pathname.startsWith("/good")) response.end(content);
    else response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await once(web, "listening");
  site = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  server = await startServer({ env: settings });
  client = openClient(server);
  env = { SLIPWAY_URL: server.url, SLIPWAY_TOKEN: server.token };
});
afterAll(async () => {
  client?.close();
  await server?.kill();
  web?.closeAllConnections();
  web?.close();
});

const slipway = (...words: string[]) => runCli(words, { env });
const json = async (...words: string[]) => {
  const { stdout, stderr } = await slipway(...words, "--json");
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
};
const open = async () => (await client.sessions.createSession({})).session?.id ?? "";
const isHeld = (path: string) => expect.poll(() => held.has(path), { timeout: 20_000 }).toBe(true);
const release = (path: string) => held.get(path)?.end(content.subarray(100_000));
const soon = { timeout: 20_000, interval: 50 };

describe("session fetch", () => {
  it("adds a file under the last part of its URI's path, once, and it comes with its session", async () => {
    const id = await open();
    const uri = `${site}/good/g%C3%A4rten%20.iso?from=here#there`;
    const added = await slipway("session", "fetch", id, uri, "--size", "200000", "--checksum", `SHA-256:${sha256}`);
    expect([added.exitCode, added.stderr]).toEqual([0, ""]);
    expect(added.stdout).toMatch(/^file [0-9a-f-]{36} \(gärten \.iso\) is being fetched\n$/);
    await expect.poll(async () => (await json("ls", id)).files[0].state, soon).toBe("ready");
    const again = await json("session", "fetch", id, uri, "--size", "200000", "--checksum", `sha256:${sha256}`);
    expect(again).toMatchObject({ applied: false, file: { name: "gärten .iso", state: "ready", sha256 } });
    expect(again.file.source).toBe(uri.replace("#there", ""));
    expect(await slipway("session", "complete", id)).toMatchObject({ exitCode: 0, stdout: `session ${id} is done\n` });
  });

  it("takes another name, and tells what the server says to a source that cannot be used", async () => {
    const id = await open();
    const named = await json("session", "fetch", id, `${site}/good/`, "--name", "other.bin");
    expect(named).toMatchObject({ applied: true, file: { name: "other.bin", fetch: { tries: 0 } } });
    for (const [uri, why] of [
      ["ftp://example.org/a", /sources are http, https, file and ds, not "ftp"/],
      ["https://me:secret@example.org/a", /must not hold a user name or a password/],
    ] as const) {
      const { exitCode, stdout, stderr } = await slipway("session", "fetch", id, uri);
      expect([exitCode, stdout, stderr]).toEqual([1, "", expect.stringMatching(why)]);
      expect(stderr).toContain("SOURCE_INVALID");
    }
    const pinned = await slipway("session", "fetch", id, "file:///srv/a", "--thumbprint", "00".repeat(32));
    expect(pinned.stderr).toMatch(/thumbprint is only for https, or http that leads there/);
  });

  const id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
  it.each([
    ["no session", ["no-id", "https://example.org/a"], /a session is named by its id/],
    ["no URI", [id], /this needs SESSION URI/],
    ["half a URI", [id, "example.org/a"], /a source is a whole URI/],
    ["no name", [id, "https://example.org/"], /give one with --name/],
    ["no checksum", [id, "https://example.org/a", "--checksum", "abc"], /--checksum is ALGO:HEX with one of md5, sha1/],
    ["no algorithm", [id, "https://example.org/a", "--checksum", "crc9:abc"], /--checksum is ALGO:HEX/],
    ["no size", [id, "https://example.org/a", "--size", "big"], /--size is a size such as/],
  ])("wrong use: %s", async (_what, words, why) => {
    const { exitCode, stdout, stderr } = await slipway("session", "fetch", ...words);
    expect([exitCode, stdout, stderr]).toEqual([2, "", expect.stringMatching(why)]);
    expect(stderr.trim().split("\n")).toHaveLength(2);
  });
});

describe("a file that is being fetched", () => {
  it("is shown with how much of what its source has is there", async () => {
    const id = await open();
    await slipway("session", "fetch", id, `${site}/held/1`, "--name", "half.bin");
    await isHeld("/held/1");
    const half = { committedOffset: 100_000, sizeBytes: 200_000 };
    await expect.poll(async () => (await json("ls", id)).files[0], soon).toMatchObject(half);
    expect((await slipway("ls", id)).stdout).toMatch(/^97\.7 KiB of 195 KiB {2}transferring {2} +half\.bin$/m);
    const { stdout } = await slipway("session", "show", id);
    expect(stdout).toMatch(/^fetching +half\.bin: 97\.7 KiB of 195 KiB$/m);
    expect(stdout).not.toMatch(/^missing/m);
    expect(await json("session", "show", id)).toMatchObject({
      missingFiles: [],
      fetchedFiles: [{ name: "half.bin", ...half, fetch: { tries: 0 } }],
    });
    await client.sessions.cancelSession({ sessionId: id });
  });

  it("whose source asks for patience is shown with why, the tries and the time of the next one", async () => {
    const id = await open();
    await slipway("session", "fetch", id, `${site}/busy?secret=1`, "--name", "late.bin");
    const problem = async () => (await json("ls", id)).files[0].fetch;
    await expect.poll(problem, soon).toMatchObject({ tries: 1, sourceFailure: "not_ready" });
    const { retryAt, failure } = await problem();
    expect(Date.parse(retryAt)).toBeGreaterThan(Date.now() + 60_000);
    const moment = retryAt.replace(/\.\d+Z/, "Z");
    expect((await slipway("ls", id)).stdout).toContain(`late.bin  ${failure} (1 try, the next at ${moment})\n`);
    expect((await slipway("session", "show", id)).stdout).toContain(`${failure} (1 try, the next at ${moment})\n`);
    await client.sessions.cancelSession({ sessionId: id });
    const watched = await slipway("session", "watch", id);
    expect(watched.stdout).toContain(`  file delayed        late.bin: ${failure}; tried again at ${moment}\n`);
    expect(watched.stdout).not.toContain("secret");
    const lines = (await slipway("session", "watch", id, "--json")).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line)).find(({ type }) => type === "file_delayed")).toMatchObject({
      ...{ fileName: "late.bin", failure, failureReason: "source_failed", sourceFailure: "not_ready", retryAt },
    });
  });

  it("and cannot be had is shown as failed, with why", async () => {
    const id = await open();
    await slipway("session", "fetch", id, `${site}/nowhere/a.bin`);
    await expect.poll(async () => (await json("ls", id)).files[0].state, soon).toBe("failed");
    expect((await slipway("ls", id)).stdout).toMatch(/^\? +failed +a\.bin +http.*\/nowhere\/a\.bin does not exist/m);
    const again = await slipway("session", "fetch", id, `${site}/nowhere/a.bin`);
    expect([again.exitCode, again.stdout]).toEqual([1, expect.stringMatching(/\(a\.bin\) is failed already\n$/)]);
    expect(again.stderr).toMatch(/does not exist.*\nTo fetch it anew: --replace\n$/);
    expect((await json("ls", id)).files[0]).toMatchObject({
      sourceFailure: "not_found",
      failure: expect.stringMatching(/does not exist/),
    });
    const other = await slipway("session", "fetch", id, `${site}/good/a.bin`);
    expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining("FILE_EXISTS")]);
    const replaced = await slipway("session", "fetch", id, `${site}/good/a.bin`, "--replace");
    expect([replaced.exitCode, replaced.stdout]).toEqual([0, expect.stringMatching(/\(a\.bin\) is being fetched\n$/)]);
    await expect.poll(async () => (await json("ls", id)).files, soon).toMatchObject([{ state: "ready", sha256 }]);
  });
});

describe("session complete while files are fetched", () => {
  it("says that it is completing, and that it ends by itself", async () => {
    const id = await open();
    await slipway("session", "fetch", id, `${site}/held/2`);
    await isHeld("/held/2");
    const { exitCode, stdout, stderr } = await slipway("session", "complete", id);
    expect([exitCode, stdout]).toEqual([0, `session ${id} is completing: files are still being fetched\n`]);
    expect(stderr).toContain(`slipway session watch ${id}`);
    expect((await slipway("session", "complete", id)).stdout).toMatch(/is completing already: /);
    expect(await json("session", "complete", id)).toMatchObject({ session: { state: "completing" }, applied: false });
    release("/held/2");
    expect((await slipway("session", "watch", id)).exitCode).toBe(0);
  });

  it("with --wait ends when it is done, also across kill -9 of the server", async () => {
    const id = await open();
    await slipway("session", "fetch", id, `${site}/held/3`);
    await isHeld("/held/3");
    const waiting = slipway("session", "complete", id, "--wait");
    await expect.poll(async () => (await json("session", "show", id)).session.state, soon).toBe("completing");
    held.delete("/held/3");
    await server.kill();
    server = await startServer({ dataDir: server.dataDir, port: server.port, env: settings });
    client.close();
    client = openClient(server);
    await isHeld("/held/3");
    release("/held/3");
    const { exitCode, stdout, stderr } = await waiting;
    expect([exitCode, stdout]).toEqual([0, `session ${id} is done\n`]);
    expect(stderr).toContain("retrying in");
  });

  it("an upload into the session says that it was not completed when one of them cannot be had", async () => {
    const id = await open();
    await slipway("session", "fetch", id, `${site}/held/5`, "--checksum", `md5:${"0".repeat(32)}`);
    await isHeld("/held/5");
    const sending = runCli(["upload", "-", "--name", "sent", "--session", id], {
      env,
      stdin: Readable.from([Buffer.from("x")]),
    });
    await expect.poll(async () => (await json("session", "show", id)).session.state, soon).toBe("completing");
    release("/held/5");
    const { exitCode, stderr } = await sending;
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/files that the server was to fetch could not be had/),
    ]);
  });

  it("with --wait ends with 1 and the reason when the session is opened again, and when it is cancelled", async () => {
    const [reopened, told, canceled] = [await open(), await open(), await open()];
    for (const [at, id] of [reopened, told, canceled].entries()) {
      await slipway("session", "fetch", id, `${site}/held/4${at}`, "--checksum", `md5:${"0".repeat(32)}`);
      await isHeld(`/held/4${at}`);
    }
    const waits = [
      slipway("session", "complete", reopened, "--wait"),
      json("session", "complete", told, "--wait"),
      slipway("session", "complete", canceled, "--wait"),
    ] as const;
    for (const id of [reopened, told, canceled]) {
      await expect.poll(async () => (await json("session", "show", id)).session.state, soon).toBe("completing");
    }
    release("/held/40");
    release("/held/41");
    await client.sessions.cancelSession({ sessionId: canceled });
    const [open1, open2, over] = await Promise.all(waits);
    expect(open1.exitCode).toBe(1);
    expect(open1.stdout).toBe(`session ${reopened} is not completed, and is active again: file "40" failed\n`);
    expect(open1.stderr).toMatch(/file failed +40: .*md5/);
    expect(open2).toMatchObject({ session: { state: "active" }, applied: true, reopened: 'file "41" failed' });
    expect([over.exitCode, over.stdout]).toEqual([1, `session ${canceled} is canceled\n`]);
    await client.sessions.cancelSession({ sessionId: reopened });
    expect((await slipway("session", "watch", reopened)).stdout).toMatch(/Z {2}session reopened {4}file "40" failed$/m);
  });
});
