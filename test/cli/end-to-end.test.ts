import { createHash, randomBytes } from "node:crypto";
import { appendFile, mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startServer, type TestServer } from "../support/server.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { runCli } from "./run-cli.js";

const mib = 2 ** 20;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

let server: TestServer;
let env: Record<string, string>;
let folder: string;
let counter = 0;
let root: string;

beforeAll(async () => {
  root = await makeTempDir();
  server = await startServer();
  env = { SLIPWAY_URL: server.url, SLIPWAY_TOKEN: server.token };
});

afterAll(async () => {
  await server.kill();
  await removeTempDir(root);
});

beforeEach(async () => {
  folder = join(root, String(counter++));
  await mkdir(folder);
});

interface Report {
  readonly sessionId: string;
  readonly state: string;
  readonly resentBytes: number;
  readonly files: readonly { path: string; sha256: string; skipped: boolean; sizeBytes: number }[];
}

async function upload(words: readonly string[], stdin?: AsyncIterable<Uint8Array>): Promise<Report> {
  const { exitCode, stdout, stderr } = await runCli(["upload", "--json", ...words], { env, ...(stdin && { stdin }) });
  expect([exitCode, stderr]).toEqual([0, expect.anything()]);
  return JSON.parse(stdout) as Report;
}

/** Of the one file of the session with that label; 0 while there is none. */
async function committedBytes(label: string): Promise<number> {
  const list = async (...words: string[]) => JSON.parse((await runCli(["ls", "--json", ...words], { env })).stdout);
  const { sessions } = (await list()) as { sessions: { id: string; label: string }[] };
  const id = sessions.find((session) => session.label === label)?.id;
  if (id === undefined) return 0;
  const { files } = (await list(id)) as { files: { committedOffset: number }[] };
  return files[0]?.committedOffset ?? 0;
}

describe.each(["connect", "grpc"])("over %s", (protocol) => {
  it("P3 an upload outlives kill -9 of the server and sends little of it again", async () => {
    const path = join(folder, "big.bin");
    const bytes = randomBytes(128 * mib);
    await writeFile(path, bytes);
    const uploading = upload([path, "--label", folder, "--protocol", protocol]);
    while ((await committedBytes(folder)) === 0) await sleep(20);
    await server.kill();
    server = await startServer({ dataDir: server.dataDir, port: server.port });
    const report = await uploading;
    expect(report.state).toBe("done");
    expect(report.files[0]?.sha256).toBe(sha256(bytes));
    // What was written since the last checkpoint, and what was on its way.
    expect(report.resentBytes).toBeLessThan(64 * mib);

    const output = join(folder, "out");
    const { exitCode } = await runCli(["download", report.sessionId, "--output", output, "--protocol", protocol], {
      env,
    });
    expect(exitCode).toBe(0);
    expect(sha256(await readFile(join(output, "big.bin")))).toBe(sha256(bytes));
    expect(await readdir(output)).toEqual(["big.bin"]);
  });

  it("a folder comes back as it was", async () => {
    const tree = join(folder, "tree");
    await mkdir(join(tree, "deep/er"), { recursive: true });
    for (let i = 0; i < 20; i += 1) await writeFile(join(tree, "deep", `${i}.bin`), randomBytes(i * 997));
    await writeFile(join(tree, "empty"), "");
    await writeFile(join(tree, "deep/er/100% ü"), "odd");
    const { sessionId, files } = await upload([tree, "--protocol", protocol]);
    expect(files).toHaveLength(22);
    await runCli(["download", sessionId, "--output", join(folder, "out"), "--protocol", protocol], { env });
    for (const { path } of files) {
      expect(await readFile(join(folder, "out", path))).toEqual(await readFile(join(folder, path)));
    }
  });
});

describe("upload", () => {
  it("goes on with a session and sends only what is missing", async () => {
    for (const name of ["a", "b"]) await writeFile(join(folder, name), randomBytes(3 * mib));
    const first = await upload([join(folder, "a"), "--no-complete"]);
    expect(first.state).toBe("active");
    const second = await upload(["--session", first.sessionId, join(folder, "a"), join(folder, "b")]);
    expect(second).toMatchObject({ state: "done", files: [{ skipped: true }, { skipped: false }] });
  });

  it("takes a file that has changed only with --replace", async () => {
    const path = join(folder, "a");
    await writeFile(path, "one");
    const { sessionId } = await upload([path, "--no-complete"]);
    await writeFile(path, "two");
    await utimes(path, 1, 1);
    const refused = await runCli(["upload", "--session", sessionId, path], { env });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`To go on: slipway upload --session ${sessionId} --replace ${path}`);
    const report = await upload(["--session", sessionId, "--replace", path]);
    expect(report.files[0]?.sha256).toBe(sha256(Buffer.from("two")));
  });

  it("does not complete a set with a file that changes on the way, and sends the others", async () => {
    const [steady, moving] = [join(folder, "steady"), join(folder, "moving")];
    await writeFile(steady, "steady");
    await writeFile(moving, randomBytes(64 * mib));
    let stop = false;
    const changing = (async () => {
      while (!stop) await appendFile(moving, "x").then(() => sleep(5));
    })();
    const { exitCode, stdout, stderr } = await runCli(["upload", "--json", moving, steady], { env });
    stop = true;
    await changing;
    expect(exitCode).toBe(1);
    expect(stderr).toContain("moving changed while it was uploaded");
    expect(JSON.parse(stdout)).toMatchObject({
      state: "active",
      files: [{ path: "steady" }],
      failed: [{ path: "moving" }],
    });
  });

  it.each([0, 1000, 4 * mib - 64 * 1024, 9 * mib])("sends standard input of %d bytes", async (size) => {
    const bytes = randomBytes(size);
    async function* stdin() {
      for (let at = 0; at < size; at += 70_000) yield bytes.subarray(at, at + 70_000);
    }
    const report = await upload(["-", "--name", "piped"], stdin());
    expect(report).toMatchObject({ state: "done", files: [{ path: "piped", sizeBytes: size, sha256: sha256(bytes) }] });
  });

  it("surfaces what the service says and does not try again", async () => {
    await writeFile(join(folder, "a"), "a");
    const done = await upload([join(folder, "a")]);
    const again = await runCli(["upload", "--session", done.sessionId, join(folder, "a")], { env });
    expect(again.stderr).toContain("is done and takes no more files");
    const stranger = await runCli(["upload", join(folder, "a"), "--token", "wrong"], { env });
    expect([stranger.exitCode, stranger.stderr]).toEqual([1, expect.stringContaining("unauthenticated TOKEN_INVALID")]);
  });
});

describe("download", () => {
  it("keeps a file that differs, unless forced, and skips one that is right", async () => {
    await writeFile(join(folder, "a"), "right");
    const { sessionId } = await upload([join(folder, "a")]);
    const output = join(folder, "out");
    const download = (...words: string[]) =>
      runCli(["download", sessionId, "--output", output, "--json", ...words], { env });
    await mkdir(output);
    await writeFile(join(output, "a"), "wrong");
    expect(await download()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("--force replaces it") });
    expect(await readFile(join(output, "a"), "utf8")).toBe("wrong");
    expect((await download("--force")).exitCode).toBe(0);
    expect(await readFile(join(output, "a"), "utf8")).toBe("right");
    expect(JSON.parse((await download()).stdout)).toMatchObject({ files: [{ skipped: true }] });
    expect(await download("nowhere")).toMatchObject({ exitCode: 1 });
  });

  it("goes on with a part, and begins again with a spoilt one", async () => {
    const bytes = randomBytes(3 * mib);
    await writeFile(join(folder, "a"), bytes);
    const { sessionId } = await upload([join(folder, "a")]);
    const output = join(folder, "out");
    const part = join(output, `a.${sha256(bytes).slice(0, 12)}.part`);
    await mkdir(output);
    for (const before of [bytes.subarray(0, mib + 7), Buffer.alloc(mib), randomBytes(4 * mib)]) {
      await rm(join(output, "a"), { force: true });
      await writeFile(part, before);
      expect((await runCli(["download", sessionId, "--output", output], { env })).exitCode).toBe(0);
      expect(sha256(await readFile(join(output, "a")))).toBe(sha256(bytes));
      expect(await readdir(output)).toEqual(["a"]);
    }
  });
});

it("ls lists sessions and files", async () => {
  await writeFile(join(folder, "a.txt"), "hello");
  const { sessionId } = await upload([join(folder, "a.txt"), "--label", "a label"]);
  expect((await runCli(["ls"], { env })).stdout).toMatch(new RegExp(`${sessionId}  done +1 .*a label`));
  expect((await runCli(["ls", sessionId], { env })).stdout).toMatch(/5 B +ready +2cf24dba5fb0 +a\.txt/);
  expect(JSON.parse((await runCli(["ls", sessionId, "--json"], { env })).stdout)).toMatchObject({
    session: { id: sessionId, state: "done", label: "a label", files: 1 },
    files: [{ path: "a.txt", sizeBytes: 5, sha256: sha256(Buffer.from("hello")) }],
  });
});
