// A client that nobody here wrote: Python's gRPC library, with code generated from proto/.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { startServer, type TestServer } from "../support/server.js";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "test/clients/python");

const python = await run("python3", ["-m", "pip", "--version"]).then(
  () => true,
  () => false,
);
if (!python && process.env.CI === "true") throw new Error("python3 with pip is needed, and was not found");

/** The packages of requirements.txt, installed once for each content of it. */
async function installPackages(): Promise<string> {
  const requirements = join(folder, "requirements.txt");
  const version = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 16);
  const packages = join(root, "node_modules/.cache/slipway/python", version);
  if (existsSync(packages)) return packages;
  await mkdir(dirname(packages), { recursive: true });
  const aside = await mkdtemp(`${packages}-`);
  await run("python3", ["-m", "pip", "install", "--quiet", "--no-cache-dir", "--target", aside, "-r", requirements]);
  await rename(aside, packages).catch(async (error: unknown) => {
    if (!existsSync(packages)) throw error;
    await rm(aside, { recursive: true });
  });
  return packages;
}

/** Generates the client; answers the module path for both it and its packages. */
async function generateClient(): Promise<string> {
  const packages = await installPackages();
  const out = await mkdtemp(join(inject("runFolder"), "python-"));
  const proto = join(root, "proto");
  const files = readdirSync(join(proto, "slipway/upload/v1")).filter((name) => name.endsWith(".proto"));
  const paths = files.map((name) => `slipway/upload/v1/${name}`);
  await run(
    "python3",
    ["-m", "grpc_tools.protoc", "-I", proto, `--python_out=${out}`, `--grpc_python_out=${out}`, ...paths],
    { env: { ...process.env, PYTHONPATH: packages } },
  );
  await writeFile(join(out, "slipway/__init__.py"), "");
  return `${out}:${packages}`;
}

let server: TestServer | undefined;
let modulePath: string;
beforeAll(async () => {
  if (python) modulePath = await generateClient();
}, 300_000);
afterEach(async () => {
  await server?.kill();
  server = undefined;
});

describe.runIf(python)("a generated Python client", () => {
  it.each([
    ["1 GiB", 2 ** 30, false],
    ["8 MiB over TLS", 8 * 2 ** 20, true],
  ])(
    "uploads %s, reads the detail of a refusal, is cancelled half-way, asks where it stands, resumes and completes",
    async (_bytes, size, tls) => {
      server = await startServer({ tls });
      const words = ["--server", new URL(server.url).host, "--token", server.token, "--size", String(size)];
      if (server.ca !== undefined) words.push("--ca", await writeAuthority(server.ca));
      const env = { ...process.env, PYTHONPATH: modulePath };
      const { stdout } = await run("python3", [join(folder, "upload.py"), ...words], { env });
      const report = JSON.parse(stdout) as { size: number; resumedAt: number };
      expect(report.size).toBe(size);
      // What was committed when it asked: a part of the first half, and not nothing.
      expect(report.resumedAt).toBeGreaterThan(0);
      expect(report.resumedAt).toBeLessThanOrEqual(size / 2);
    },
    300_000,
  );
});

async function writeAuthority(ca: string): Promise<string> {
  const file = join(await mkdtemp(join(inject("runFolder"), "ca-")), "ca.pem");
  await writeFile(file, ca);
  return file;
}
