// The main job as a person does it: the command line, a real server, 2 GiB in one file and 2,000 files in a folder.
import { spawn } from "node:child_process";
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestSchema, postgresAvailable } from "../support/postgres.js";
import { startServer, type TestServer } from "../support/server.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";

const bin = fileURLToPath(new URL("../../src/cli/slipway.cjs", import.meta.url));
const mib = 2 ** 20;
const bigBytes = 2 * 2 ** 30;
const smallFiles = 2_000;

interface UploadReport {
  readonly sessionId: string;
  readonly state: string;
  readonly bytes: number;
  readonly resentBytes: number;
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

/** Runs the command line as a process of its own. */
function runSlipway(
  server: TestServer,
  words: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { PATH } = process.env;
  const child = spawn(process.execPath, [bin, ...words], {
    env: { PATH, SLIPWAY_URL: server.url, SLIPWAY_TOKEN: server.token },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stdout: string[] = [];
  const stderr: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => stdout.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr.push(text));
  return new Promise((resolve) =>
    child.on("close", (code) => resolve({ code, stdout: stdout.join(""), stderr: stderr.join("") })),
  );
}

/** Incompressible and without repetition, and faster to make than to read from the system. */
async function writeBigFile(path: string): Promise<string> {
  const cipher = createCipheriv("aes-128-ctr", randomBytes(16), randomBytes(16));
  const zeros = Buffer.alloc(4 * mib);
  const hash = createHash("sha256");
  const file = await open(path, "w");
  for (let written = 0; written < bigBytes; written += zeros.length) {
    const chunk = cipher.update(zeros);
    hash.update(chunk);
    await file.write(chunk);
  }
  await file.close();
  return hash.digest("hex");
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: mib })) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

async function committedBytes(server: TestServer, label: string): Promise<number> {
  const list = async (...words: string[]) => JSON.parse((await runSlipway(server, ["ls", "--json", ...words])).stdout);
  const { sessions } = (await list()) as { sessions: { id: string; label: string }[] };
  const session = sessions.find((candidate) => candidate.label === label);
  if (session === undefined) return 0;
  const { files } = (await list(session.id)) as { files: { committedOffset: number }[] };
  return files[0]?.committedOffset ?? 0;
}

const engines = [
  { engine: "the embedded database", databaseUrl: async () => undefined },
  ...(postgresAvailable() ? [{ engine: "PostgreSQL", databaseUrl: async () => (await openTestSchema()).url }] : []),
];

let root: string;
let big: { readonly path: string; readonly sha256: string };

beforeAll(async () => {
  root = await makeTempDir();
  const path = join(root, "big.bin");
  big = { path, sha256: await writeBigFile(path) };
});

afterAll(() => removeTempDir(root));

describe.each(engines)("the main job on $engine", ({ databaseUrl }) => {
  let server: TestServer;

  async function start(former?: TestServer, url?: string): Promise<TestServer> {
    return startServer({
      ...(former && { dataDir: former.dataDir, port: former.port }),
      ...(url !== undefined && { databaseUrl: url }),
    });
  }
  let url: string | undefined;

  beforeAll(async () => {
    url = await databaseUrl();
    server = await start(undefined, url);
  });

  afterAll(async () => {
    await server.kill();
    await rm(server.dataDir, { recursive: true, force: true });
  });

  it("2 GiB arrive through kill -9 of the server, and little is sent twice (P1, P2, P3, P6)", async () => {
    const uploading = runSlipway(server, ["upload", "--json", "--label", "big", big.path]);
    while ((await committedBytes(server, "big")) < bigBytes / 4) await sleep(50);
    await server.kill();
    server = await start(server, url);
    const { code, stdout, stderr } = await uploading;
    expect([code, stderr]).toEqual([0, expect.stringContaining("retrying")]);
    const report = JSON.parse(stdout) as UploadReport;
    expect(report).toMatchObject({ state: "done", bytes: bigBytes, files: [{ path: "big.bin", sha256: big.sha256 }] });
    console.log(`re-sent ${(report.resentBytes / mib).toFixed(1)} MiB of ${bigBytes / mib} MiB`);
    // What P3 allows, and what the connection itself had under way when it died.
    expect(report.resentBytes).toBeLessThanOrEqual((32 + 16) * mib);

    const output = join(root, "out");
    const download = await runSlipway(server, ["download", report.sessionId, "--output", output]);
    expect([download.code, download.stderr]).toEqual([0, expect.anything()]);
    expect(await hashFile(join(output, "big.bin"))).toBe(big.sha256);
    await rm(output, { recursive: true });
  }, 600_000);

  it("2,000 small files in folders arrive and come back as they were", async () => {
    const folder = join(root, "many");
    const contents = new Map<string, Buffer>();
    for (let n = 0; n < smallFiles; n++) {
      const path = join(`part-${n % 20}`, `file ${n}.txt`);
      const content = randomBytes(n % 7 === 0 ? 0 : 1 + ((n * 37) % 9_000));
      await mkdir(join(folder, `part-${n % 20}`), { recursive: true });
      await writeFile(join(folder, path), content);
      contents.set(path, content);
    }
    const upload = await runSlipway(server, ["upload", "--json", folder]);
    expect([upload.code, upload.stderr]).toEqual([0, expect.anything()]);
    const { sessionId, state, files } = JSON.parse(upload.stdout) as UploadReport;
    expect([state, files.length]).toEqual(["done", smallFiles]);

    const output = join(root, "out");
    const download = await runSlipway(server, ["download", sessionId, "--output", output]);
    expect([download.code, download.stderr]).toEqual([0, expect.anything()]);
    const came = (await readdir(output, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(came.length).toBe(smallFiles);
    for (const [path, content] of contents) {
      const back = await readFile(join(output, "many", path));
      if (!back.equals(content)) expect.fail(`${path} came back changed`);
    }
    await rm(output, { recursive: true });
    await rm(folder, { recursive: true });
  }, 600_000);
});
