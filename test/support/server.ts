// Real server processes, as people start them.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { request } from "node:http";
import { request as requestSecurely } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";
import { makeCertificate, writeCertificate } from "./certificate.js";
import { copyEmbeddedTemplate } from "./embedded-template.js";

export interface ServerOptions {
  /** Default: a fresh one, with an embedded database in it unless `databaseUrl` is given. */
  readonly dataDir?: string;
  readonly databaseUrl?: string;
  /** Settings by name. Nothing of Slipway's is taken over from the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a free one. */
  readonly port?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Over TLS, with a certificate made for it. Default: without. */
  readonly tls?: boolean;
  /** What to wait for: the line that tells the address, or that the database is there, too (the default). */
  readonly until?: "listening" | "ready";
}

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** The administrator's; empty when the server was only awaited as listening. */
  readonly token: string;
  /** The administrator's login and password, as a header. */
  readonly authorization: string;
  readonly dataDir: string;
  /** The certificate that its clients have to trust, over TLS. */
  readonly ca?: string;
  /** What it has printed so far. */
  stdout(): string;
  stderr(): string;
  /** SIGKILL; resolves when the process has gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** A server process, listening or not. */
export interface ServerProcess extends Pick<TestServer, "pid" | "stdout" | "stderr" | "kill" | "stop"> {
  /** Resolves with the exit code, null for a signal. */
  readonly exited: Promise<number | null>;
}

const bin = process.env.SLIPWAY_TEST_BIN ?? fileURLToPath(new URL("../../src/cli/slipway.cjs", import.meta.url));
const startMs = 90_000;

/** Of every server that is started here, unless its settings name another. */
export const adminPassword = "a password of the tests";
const authorization = `Basic ${Buffer.from(`admin:${adminPassword}`).toString("base64")}`;

/** A login as a script does it: one request of JSON. */
export async function logIn(
  url: string,
  words: { readonly login?: string; readonly password?: string } = {},
  ca?: string,
): Promise<{ readonly status: number | undefined; readonly token: string }> {
  const body = JSON.stringify({ login: "admin", password: adminPassword, ...words });
  const { status, text } = await ask(`${url}/slipway.upload.v1.AccessService/Login`, ca, body);
  const { token = "" } = JSON.parse(text) as { token?: string };
  return { status, token };
}

/** A folder for a server with no database of its own in it. Gone after the run. */
export function makeDataDir(): Promise<string> {
  return mkdtemp(join(inject("runFolder"), "data-"));
}

/**
 * Starts a server and waits until it serves. Whoever starts it kills it; it dies with the process of the tests in any
 * case.
 */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const { databaseUrl, host = "127.0.0.1", port = 0, until = "ready" } = options;
  const dataDir = options.dataDir ?? (await (databaseUrl === undefined ? copyEmbeddedTemplate() : makeDataDir()));
  const database: string[] = databaseUrl === undefined ? [] : ["--database-url", databaseUrl];
  const certificate = options.tls === true ? makeCertificate() : undefined;
  const files = certificate && (await writeCertificate(certificate));
  const tls = files === undefined ? [] : ["--tls-cert", files.certFile, "--tls-key", files.keyFile];
  const flags = ["--listen", `${host}:${port}`, "--data-dir", dataDir, ...database, ...tls];
  const child = spawnServer(flags, { SLIPWAY_ADMIN_PASSWORD: adminPassword, ...options.env });
  const ca = certificate && { ca: certificate.cert };
  try {
    const url = await findUrl(child);
    if (until === "ready") await untilReady(child, url, certificate?.cert);
    const token = until === "ready" ? (await logIn(url, {}, certificate?.cert)).token : "";
    return { ...child, url, port: Number(new URL(url).port), token, authorization, dataDir, ...ca };
  } catch (error) {
    await child.kill();
    throw error;
  }
}

/** Runs `slipway serve` with these flags. */
export function spawnServer(
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): ServerProcess {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("SLIPWAY_") && name !== "DATABASE_URL" && name !== "NODE_OPTIONS",
  );
  const child = spawn(process.execPath, [bin, "serve", ...flags], {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    cwd,
  });
  return watchServer(child);
}

/** A server that somebody has spawned with pipes for what it prints; it dies with the process of the tests. */
export function watchServer(child: ChildProcess): ServerProcess {
  const { pid } = child;
  if (pid === undefined) throw new Error("the server process could not be started");
  const guard = guardProcess(pid);
  const texts = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    texts.stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    texts.stderr += text;
  });
  const exited = once(child, "close").then(([code]) => {
    guard.kill("SIGKILL");
    return code as number | null;
  });
  return {
    pid,
    exited,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    async stop() {
      child.kill("SIGTERM");
      return exited;
    },
  };
}

/** Kills the process when ours ends, however it ends: the guard reads from a pipe that closes then. */
function guardProcess(pid: number): ChildProcess {
  const guard = spawn("sh", ["-c", 'read -r _; kill -KILL "$0" 2>/dev/null', String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  guard.unref();
  return guard;
}

/** The address that it prints. */
export async function findUrl(child: ServerProcess): Promise<string> {
  const url = () => /^listening on (https?:\S+)$/m.exec(child.stdout())?.[1];
  await waitFor(child, "did not say that it listens", async () => url() !== undefined);
  return url() ?? "";
}

export async function untilReady(child: ServerProcess, url: string, ca?: string): Promise<void> {
  await waitFor(child, "did not become ready", async () => (await ask(`${url}/readyz`, ca)).status === 200);
}

/** GET, or POST with a body of JSON. */
function ask(
  url: string,
  ca: string | undefined,
  body?: string,
): Promise<{ readonly status: number | undefined; readonly text: string }> {
  const post = { method: "POST", headers: { "content-type": "application/json" } };
  const options = { agent: false, ...(body !== undefined && post) };
  return new Promise((resolve, reject) => {
    const asked = ca === undefined ? request(url, options) : requestSecurely(url, { ...options, ca });
    asked.on("error", reject).on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (data: string) => {
        text += data;
      });
      response.on("end", () => resolve({ status: response.statusCode, text })).on("error", reject);
    });
    asked.end(body);
  });
}

async function waitFor(child: ServerProcess, complaint: string, holds: () => Promise<boolean>): Promise<void> {
  let ended = false;
  void child.exited.then(() => {
    ended = true;
  });
  const giveUpAt = performance.now() + startMs;
  while (!(await holds())) {
    if (ended || performance.now() > giveUpAt) {
      throw new Error(`the server ${ended ? "ended" : complaint}: ${child.stderr()}`);
    }
    await sleep(20);
  }
}
