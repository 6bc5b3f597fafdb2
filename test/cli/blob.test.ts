import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startServer, type TestServer } from "../support/server.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { runChild } from "./run-child.js";
import { runCli } from "./run-cli.js";

const mib = 2 ** 20;
const digestOf = (bytes: Uint8Array, algorithm = "sha256") => createHash(algorithm).update(bytes).digest("hex");
const refOf = (bytes: Uint8Array) => `sha256-${digestOf(bytes)}`;
const settings = { SLIPWAY_MAX_STREAM_BLOBS: "30", SLIPWAY_MAX_BLOB_REFS: "20", SLIPWAY_MAX_BLOB_BYTES: "8MiB" };

let server: TestServer;
let env: Record<string, string>;
let root: string;
let folder: string;
let counter = 0;

beforeAll(async () => {
  root = await makeTempDir();
  server = await startServer({ env: settings });
  env = { SLIPWAY_URL: server.url, SLIPWAY_TOKEN: server.token };
});
afterAll(async () => {
  await server?.kill();
  await removeTempDir(root);
});
beforeEach(async () => {
  folder = join(root, String(counter++));
  await mkdir(folder);
});

const slipway = (...words: string[]) => runCli(words, { env });
async function json(...words: string[]) {
  const { stdout, stderr } = await slipway(...words, "--json");
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

async function restart(): Promise<void> {
  await server.kill();
  server = await startServer({ env: settings, dataDir: server.dataDir, port: server.port });
}

async function writeFiles(count: number, sizeBytes = 100): Promise<{ paths: string[]; refs: string[] }> {
  const contents = Array.from({ length: count }, () => randomBytes(sizeBytes));
  const paths = contents.map((_, at) => join(folder, `f${at}`));
  await Promise.all(contents.map((content, at) => writeFile(paths[at] ?? "", content)));
  return { paths, refs: contents.map(refOf) };
}

describe("blob put", () => {
  it("stores many files in streams no longer than the server takes, and prints them in order", async () => {
    const { paths, refs } = await writeFiles(300);
    const { exitCode, stdout, stderr } = await slipway("blob", "put", ...paths);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(refs.map((ref, at) => `${ref}  ${paths[at]}\n`).join(""));
    const again = await json("blob", "put", ...paths.slice(0, 3), paths[0] ?? "");
    expect(again.blobs.map(({ ref, applied }: { ref: string; applied: boolean }) => [ref, applied])).toEqual(
      [0, 1, 2, 0].map((at) => [refs[at], false]),
    );
    expect((await slipway("blob", "stat", ...refs)).exitCode).toBe(0);
  });

  it.each(["sha256", "sha224", "sha1"])(
    "names a blob by its %s, empty ones and those of many messages, too",
    async (algorithm) => {
      for (const size of [0, 1, 5 * mib + 1]) {
        const content = randomBytes(size);
        const path = join(folder, "one");
        await writeFile(path, content);
        const ref = `${algorithm}-${digestOf(content, algorithm)}`;
        const { blobs } = await json("blob", "put", path, "--algorithm", algorithm);
        expect(blobs).toEqual([{ ref, path, sizeBytes: size, applied: expect.any(Boolean) }]);
        expect((await slipway("blob", "get", ref.toUpperCase().replace("SHA", "sha"))).bytes.equals(content)).toBe(
          true,
        );
      }
    },
  );

  it("takes standard input, and leaves nothing of it behind", async () => {
    const content = randomBytes(3 * mib);
    async function* stdin() {
      for (let at = 0; at < content.length; at += 100_000) yield content.subarray(at, at + 100_000);
    }
    const { stdout } = await runCli(["blob", "put", "-"], { env, stdin: stdin() });
    expect(stdout).toBe(`${refOf(content)}  -\n`);
    expect((await readdir(tmpdir())).filter((name) => /^slipway-[0-9a-f]{24}$/.test(name))).toEqual([]);
  });

  it("says of each file that is no blob why, names the limit that it is over, and stores the others", async () => {
    const { paths, refs } = await writeFiles(3);
    const big = join(folder, "big\u001b[2J");
    await writeFile(big, Buffer.alloc(20 * mib));
    const words = [paths[0] ?? "", big, paths[1] ?? "", join(folder, "nowhere"), folder, paths[2] ?? ""];
    const { exitCode, stdout, stderr } = await slipway("blob", "put", "--parallel", "1", ...words);
    expect(exitCode).toBe(1);
    expect(stdout).toBe(refs.map((ref, at) => `${ref}  ${paths[at]}\n`).join(""));
    expect(stderr.trim().split("\n")).toEqual([
      `slipway blob put: ${folder}/big\\x1b[2J is larger than a blob may be (SLIPWAY_MAX_BLOB_BYTES is ${8 * mib}): send it by \`slipway upload\``,
      `slipway blob put: ${folder}/nowhere is not there`,
      `slipway blob put: ${folder} is no file`,
    ]);
    const told = await json("blob", "put", ...words);
    expect(told.blobs).toHaveLength(3);
    expect(told.failed).toMatchObject([{ path: big }, { path: `${folder}/nowhere` }, { path: folder }]);
  });

  it.each(["connect", "grpc"])(
    "over %s goes on after kill -9 of the server, and stores every blob",
    async (protocol) => {
      const { paths, refs } = await writeFiles(120, 2 * mib);
      const putting = runCli(["blob", "put", "--parallel", "2", "--protocol", protocol, ...paths], { env });
      while ((await slipway("blob", "stat", refs[0] ?? "")).exitCode !== 0) await sleep(10);
      await restart();
      const { exitCode, stdout, stderr } = await putting;
      const printed = stdout
        .trim()
        .split("\n")
        .map((line) => line.split("  ")[0]);
      expect([exitCode, printed]).toEqual([0, refs]);
      expect(stderr).toContain("retrying in");
      expect((await slipway("blob", "stat", ...refs)).exitCode).toBe(0);
    },
  );

  it("interrupted, exits with 130", async () => {
    const { paths } = await writeFiles(1);
    await server.kill();
    const child = runChild(["blob", "put", ...paths], env);
    while (!child.stderr().includes("retrying in")) await sleep(10);
    child.signal("SIGINT");
    expect([await child.exited, child.stderr()]).toEqual([130, expect.stringMatching(/Interrupted\.\n$/)]);
    await restart();
  });
});

describe("blob get", () => {
  /** A blob that is larger than one that is put may be. */
  async function publish(content: Uint8Array): Promise<string> {
    const path = join(folder, "published.bin");
    await writeFile(path, content);
    const { sessionId } = await json("upload", path);
    const { stdout } = await slipway("blob", "publish", sessionId, "published.bin");
    expect(stdout).toBe(`${refOf(content)}  published.bin\n`);
    expect(await json("blob", "publish", sessionId, "published.bin")).toMatchObject({
      applied: false,
      path: "published.bin",
    });
    return refOf(content);
  }

  it("writes a file all at once, and leaves one that is there unless forced", async () => {
    const content = randomBytes(2 * mib);
    const ref = await publish(content);
    const output = join(folder, "out");
    expect(await json("blob", "get", ref, "--output", output)).toEqual({ ref, output, sizeBytes: 2 * mib });
    expect((await readFile(output)).equals(content)).toBe(true);
    await writeFile(output, "mine");
    const kept = await slipway("blob", "get", ref, "--output", output);
    expect([kept.exitCode, kept.stderr]).toEqual([
      1,
      `slipway blob get: ${output} is there already; --force replaces it\n`,
    ]);
    expect(await readFile(output, "utf8")).toBe("mine");
    expect((await slipway("blob", "get", ref, "--output", output, "--force")).exitCode).toBe(0);
    expect((await readFile(output)).equals(content)).toBe(true);
    const missing = await slipway("blob", "get", refOf(randomBytes(8)), "--output", join(folder, "never"));
    expect([missing.exitCode, missing.stderr]).toEqual([1, expect.stringContaining("BLOB_NOT_FOUND")]);
    const nowhere = await slipway("blob", "get", ref, "--output", join(folder, "no/such/folder"));
    expect(nowhere).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("cannot be written (ENOENT)") });
    expect((await readdir(folder)).sort()).toEqual(["out", "published.bin"]);
  });

  it("prints no binary content on a terminal, unless forced", async () => {
    const ref = await publish(Buffer.from("\u0000binary"));
    const refused = await runCli(["blob", "get", ref], { env, typed: "" });
    expect([refused.exitCode, refused.stdout]).toEqual([1, ""]);
    expect((await runCli(["blob", "get", ref, "--force"], { env, typed: "" })).stdout).toBe("\u0000binary");
  });

  it.each(["connect", "grpc"])(
    "over %s goes on after kill -9 of the server, with every byte once",
    async (protocol) => {
      const content = randomBytes(48 * mib);
      const ref = await publish(content);
      let restarted: Promise<void> | undefined;
      const { exitCode, bytes, stderr } = await runCli(["blob", "get", ref, "--protocol", protocol], {
        env,
        onOutput: () => {
          restarted ??= restart();
        },
      });
      await restarted;
      expect([exitCode, digestOf(bytes)]).toEqual([0, digestOf(content)]);
      expect(stderr).toContain("retrying in");
    },
  );

  it("interrupted, exits with 130 and leaves no file", async () => {
    const ref = await publish(randomBytes(100));
    await server.kill();
    const child = runChild(["blob", "get", ref, "--output", join(folder, "out")], env);
    while (!child.stderr().includes("retrying in")) await sleep(10);
    child.signal("SIGINT");
    expect(await child.exited).toBe(130);
    expect(await readdir(folder)).toEqual(["published.bin"]);
    await restart();
  });
});

describe("blob list, stat and remove", () => {
  it("list goes by ref, page by page, up to a limit", async () => {
    const { refs } = await (async () => {
      const files = await writeFiles(5);
      await slipway("blob", "put", ...files.paths);
      return files;
    })();
    const { blobs } = await json("blob", "list");
    const listed = blobs.map(({ ref }: { ref: string }) => ref);
    expect(listed).toEqual([...listed].sort());
    expect(listed).toEqual(expect.arrayContaining(refs));
    expect((await json("blob", "list", "--limit", "2")).blobs).toEqual(blobs.slice(0, 2));
    const lines = (await slipway("blob", "list", "--limit", "2")).stdout.trim().split("\n");
    expect(lines.map((line) => line.split(/ +/)[0])).toEqual(["REF", ...listed.slice(0, 2)]);
  });

  it("stat tells what is missing with exit code 1", async () => {
    const { paths, refs } = await writeFiles(2);
    await slipway("blob", "put", ...paths);
    const strange = refOf(randomBytes(9));
    const { exitCode, stdout } = await slipway("blob", "stat", refs[0] ?? "", strange, refs[1] ?? "");
    expect([exitCode, stdout]).toEqual([1, `${refs[0]}  100 B\n${strange}  missing\n${refs[1]}  100 B\n`]);
    expect(await json("blob", "stat", refs[0] ?? "", strange)).toEqual({
      blobs: [{ ref: refs[0], sizeBytes: 100, createdAt: expect.stringMatching(/Z$/) }],
      missing: [strange],
    });
  });

  it("remove asks, then takes away what is there, in as many calls as the server asks for", async () => {
    const { paths, refs } = await writeFiles(50);
    await slipway("blob", "put", ...paths);
    expect((await runCli(["blob", "remove", ...refs], { env, typed: "n\n" })).stderr).toContain(
      "Remove 50 blobs? [y/N]",
    );
    expect((await slipway("blob", "remove", ...refs)).exitCode).toBe(2);
    expect((await slipway("blob", "stat", ...refs)).exitCode).toBe(0);
    const { stdout } = await slipway("blob", "remove", ...refs, refOf(randomBytes(9)), "--yes");
    expect(stdout).toBe("50 blobs removed, 1 not there\n");
    expect((await json("blob", "stat", ...refs)).missing).toEqual(refs);
  });

  it("publish knows no strange file", async () => {
    const path = join(folder, "a");
    await writeFile(path, "a");
    const { sessionId } = await json("upload", path);
    const { exitCode, stderr } = await slipway("blob", "publish", sessionId, "b\u001b");
    expect([exitCode, stderr]).toEqual([1, 'slipway blob publish: the session has no file "b\\u001b"\n']);
    expect((await slipway("blob", "publish", randomUUID(), "a")).stderr).toContain("SESSION_NOT_FOUND");
  });
});

it.each([
  ["blob"],
  ["blob", "put"],
  ["blob", "put", "-", "-"],
  ["blob", "put", "x", "--algorithm", "md5"],
  ["blob", "get", "sha256-00"],
  ["blob", "get", `md5-${"0".repeat(32)}`],
  ["blob", "get", `sha256-${"0".repeat(64)}`, "--json"],
  ["blob", "stat"],
  ["blob", "remove", "x", "--yes"],
  ["blob", "publish", "no-id", "x"],
])("wrong use: slipway %s %s %s %s", async (...words) => {
  const { exitCode, stdout, stderr } = await runCli(words, { env });
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr.trim().split("\n")).toHaveLength(2);
});
