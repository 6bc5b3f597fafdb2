// Uploads and downloads that somebody or something ends, and what goes on with them.
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Role } from "../../gen/slipway/upload/v1/access_pb.js";
import { SessionVisibility } from "../../gen/slipway/upload/v1/session_pb.js";
import { openClient, type TestClient } from "../support/client.js";
import { hasPty, openPty, openSlipway, type Pty } from "../support/pty.js";
import { startServer, type TestServer } from "../support/server.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { runCli } from "./run-cli.js";

const mib = 2 ** 20;
const sizeBytes = 24 * mib;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

let server: TestServer;
let line: TcpProxy;
let client: TestClient;
let root: string;
let folder: string;
let env: Record<string, string>;
let counter = 0;

beforeAll(async () => {
  root = await makeTempDir();
  server = await startServer();
  line = await startTcpProxy(server.url);
  client = openClient(server);
});
afterAll(async () => {
  client.close();
  await line.close();
  await server.kill();
  await removeTempDir(root);
});
beforeEach(async () => {
  folder = join(root, String(counter++));
  await mkdir(folder);
  env = { HOME: folder, SLIPWAY_URL: line.url, SLIPWAY_TOKEN: server.token };
});

const run = async (...words: string[]) => {
  line.limit(undefined);
  return await runCli(words, { env });
};
const journal = () => readdir(join(folder, ".local/state/slipway/uploads"));

async function writeRandom(name: string, size = sizeBytes): Promise<string> {
  const bytes = randomBytes(size);
  await writeFile(join(folder, name), bytes);
  return sha256(bytes);
}

/** An upload that is somewhere in the middle. */
async function begin(words: readonly string[], more: Record<string, string> = {}): Promise<Pty> {
  line.limit(12 * mib);
  const pty = await openSlipway(["upload", ...words], { cwd: folder, env: { ...env, ...more }, columns: 120 });
  await pty.waitFor(/ [2-9]\d% /);
  return pty;
}

const sessionOf = (pty: Pty) => /session ([-0-9a-f]{36})/.exec(pty.output)?.[1] ?? "";

async function interrupt(...words: string[]): Promise<string> {
  const pty = await begin(words);
  pty.write("\x03");
  expect(await pty.exit).toEqual({ code: 130, signal: undefined });
  return sessionOf(pty);
}

describe.runIf(hasPty)("an upload that is interrupted", () => {
  it("by Ctrl-C says how to go on, and does so from another working folder", async () => {
    const digest = await writeRandom("movie");
    const pty = await begin(["movie"]);
    pty.write("\x03");
    expect(await pty.exit).toEqual({ code: 130, signal: undefined });
    const id = sessionOf(pty);
    expect((await pty.screen()).slice(2)).toEqual([
      "Interrupted; what arrived is kept.",
      "To go on: slipway upload --resume",
      `or by hand: slipway upload --session ${id} movie`,
    ]);
    const stored = await readFile(join(folder, ".local/state/slipway/uploads", `${id}.json`), "utf8");
    expect(stored).not.toContain(server.token);
    // What was on its way is kept once the server has seen that its client is gone.
    const committed = async () => (await client.files.listFiles({ sessionId: id })).files[0]?.committedOffset ?? 0n;
    await expect.poll(committed, { timeout: 30_000 }).toBeGreaterThan(0n);

    const { exitCode, stdout } = await run("upload", "--resume", "--json");
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout) as { sentBytes: number };
    expect(report).toMatchObject({ sessionId: id, state: "done", files: [{ path: "movie", sha256: digest }] });
    expect(report.sentBytes).toBeLessThan(sizeBytes);
    expect(await journal()).toEqual([]);
  });

  it.each([
    ["SIGTERM", { code: 143, signal: undefined }],
    // It dies of it, which shells count as 129.
    ["SIGHUP", { code: undefined, signal: "SIGHUP" }],
  ] as const)("by %s says the same, and ends as %j", async (signal, end) => {
    await writeRandom("movie");
    const pty = await begin(["movie"]);
    pty.kill(signal);
    expect(await pty.exit).toEqual(end);
    expect(await pty.screen()).toContain("To go on: slipway upload --resume");
    expect((await run("upload", "--resume")).exitCode).toBe(0);
  });

  it("by a terminal that is closed can be gone on with", async () => {
    await writeRandom("movie");
    const pty = await begin(["movie"]);
    await pty.close();
    expect(await pty.exit).toEqual({ code: undefined, signal: "SIGHUP" });
    expect((await run("upload", "--resume")).exitCode).toBe(0);
  });

  it("by kill -9 can be gone on with, by its paths, too", async () => {
    const digest = await writeRandom("movie");
    const pty = await begin(["movie"]);
    pty.kill("SIGKILL");
    expect(await pty.exit).toEqual({ code: undefined, signal: "SIGKILL" });
    expect(await run("upload", "--resume", join(folder, "other"))).toMatchObject({
      exitCode: 1,
      stderr: `slipway upload: no such upload to ${line.url} is unfinished here; others are: 1\n`,
    });
    const { stdout } = await run("upload", "--resume", join(folder, "movie"), "--json");
    expect(JSON.parse(stdout)).toMatchObject({ sessionId: sessionOf(pty), files: [{ sha256: digest }] });
  });

  it("leaves no trace of itself when it is not", async () => {
    await writeRandom("small", 1000);
    expect((await run("upload", join(folder, "small"))).exitCode).toBe(0);
    expect((await run("upload", join(folder, "small"), "--no-complete")).exitCode).toBe(0);
    expect(await journal()).toEqual([]);
    expect(await run("upload", "--resume")).toMatchObject({
      exitCode: 1,
      stdout: "",
      stderr: `slipway upload: no upload to ${line.url} is unfinished here\n`,
    });
  });

  it("is one of several: each is listed with the command that goes on with it", async () => {
    await writeRandom("a b");
    await writeRandom("c");
    const ids = [await interrupt("a b"), await interrupt("c")];
    const { exitCode, stderr } = await run("upload", "--resume");
    expect(exitCode).toBe(2);
    expect(stderr).toContain(
      `slipway: 2 uploads to ${line.url} are unfinished: say which\n  'a b' in ${folder}, begun `,
    );
    for (const id of ids) {
      expect(stderr).toContain(`: slipway upload --resume --session ${id}\n`);
      expect((await run("upload", "--resume", "--session", id)).exitCode).toBe(0);
    }
    expect(await journal()).toEqual([]);
  });

  it("keeps the names that its folder gave: `.` is gone on with as it was called there", async () => {
    const digest = await writeRandom("movie");
    env = { ...env, XDG_STATE_HOME: join(root, `state-${counter}`) };
    await interrupt(".");
    const { stdout } = await run("upload", "--resume", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ state: "done", files: [{ path: "movie", sha256: digest }] });
  });

  it("that has changed meanwhile is sent anew with --replace only", async () => {
    await writeRandom("movie");
    const id = await interrupt("movie");
    const digest = await writeRandom("movie", 1000);
    await utimes(join(folder, "movie"), 1, 1);
    const refused = await run("upload", "--resume");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("To go on: slipway upload --resume --replace\n");
    const { stdout } = await run("upload", "--resume", "--replace", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ sessionId: id, state: "done", files: [{ sha256: digest }] });
  });

  it("whose session was cancelled, is gone or is done says so and is forgotten", async () => {
    await writeRandom("movie");
    const cancelled = await interrupt("movie");
    await client.sessions.cancelSession({ sessionId: cancelled });
    const first = await run("upload", "--resume");
    expect(first).toMatchObject({ exitCode: 1, stdout: "" });
    expect(first.stderr).toContain(`session ${cancelled} is canceled and takes no more files`);
    expect(await journal()).toEqual([]);

    const gone = await interrupt("movie");
    await client.sessions.cancelSession({ sessionId: gone });
    await client.sessions.deleteSession({ sessionId: gone });
    const second = await run("upload", "--resume");
    expect(second).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("it has expired or was deleted") });
    expect(await journal()).toEqual([]);

    const done = await interrupt("movie");
    const stored = join(folder, ".local/state/slipway/uploads", `${done}.json`);
    const record = await readFile(stored);
    expect((await run("upload", "--resume")).exitCode).toBe(0);
    await writeFile(stored, record);
    const third = await run("upload", "--resume");
    expect(third).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("is done already") });
    expect(await journal()).toEqual([]);
  });

  it("without a HOME names its session", async () => {
    await writeRandom("movie");
    const pty = await begin(["movie"], { HOME: "" });
    pty.write("\x03");
    await pty.exit;
    expect(await pty.screen()).toContain(`To go on: slipway upload --session ${sessionOf(pty)} movie`);
    expect(await pty.screen()).not.toContain("To go on: slipway upload --resume");
  });
});

it.runIf(hasPty)("a second Ctrl-C ends a command at once", async () => {
  const module = pathToFileURL(join(import.meta.dirname, "../../dist/src/cli/shell/interrupt.js")).href;
  const code = `import(${JSON.stringify(module)}).then(({ withInterrupt }) => withInterrupt((signal) => {
    signal.addEventListener("abort", () => console.log("told"));
    console.log("begun");
    setInterval(() => {}, 1000);
    return new Promise(() => {});
  }))`;
  const pty = await openPty([process.execPath, "-e", code]);
  await pty.waitFor("begun");
  pty.write("\x03");
  await pty.waitFor("told");
  pty.write("\x03");
  expect(await pty.exit).toEqual({ code: 130, signal: undefined });
});

describe("the session of somebody else", () => {
  it("is hidden from another user unless it is visible, and then takes that user's files", async () => {
    await writeRandom("file", 1000);
    const { user } = await client.access.createUser({ name: "bob", password: "bob's password", role: Role.UPLOADER });
    const { token } = await client.access.login({ login: user?.name ?? "", password: "bob's password" });
    env = { ...env, SLIPWAY_TOKEN: token };
    const hidden = (await client.sessions.createSession({})).session?.id ?? "";
    const refused = await run("upload", join(folder, "file"), "--session", hidden);
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: `slipway upload: there is no session ${hidden} that you may see: it has expired or was deleted, or it is somebody else's\n`,
    });
    const visibility = SessionVisibility.TENANT;
    const visible = (await client.sessions.createSession({ visibility })).session?.id ?? "";
    expect((await run("upload", join(folder, "file"), "--session", visible)).exitCode).toBe(0);
  });
});

it.runIf(hasPty)("a download that is interrupted or killed goes on with what is there", async () => {
  const digest = await writeRandom("movie", 48 * mib);
  const { stdout } = await run("upload", join(folder, "movie"), "--json");
  const { sessionId } = JSON.parse(stdout) as { sessionId: string };
  line.limitDown(16 * mib);
  const part = `movie.${digest.slice(0, 12)}.part`;
  for (const how of ["interrupted", "killed"]) {
    const pty = await openSlipway(["download", sessionId, "--output", "out"], { cwd: folder, env });
    await pty.waitFor(how === "killed" ? / [3-9]\d% / : / [1-9]\d% /);
    if (how === "killed") pty.kill("SIGKILL");
    else pty.write("\x03");
    expect(await pty.exit).toEqual(
      how === "killed" ? { code: undefined, signal: "SIGKILL" } : { code: 130, signal: undefined },
    );
    expect(await readdir(join(folder, "out"))).toEqual([part]);
  }
  line.limitDown(undefined);
  expect((await run("download", sessionId, "--output", join(folder, "out"))).exitCode).toBe(0);
  expect(await readdir(join(folder, "out"))).toEqual(["movie"]);
  expect(sha256(await readFile(join(folder, "out", "movie")))).toBe(digest);
});
