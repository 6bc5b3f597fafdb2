import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

/** A PostgreSQL cluster of our own: same url, port and data over its stops and starts. */
export interface OwnPostgres {
  readonly url: string;
  start(): Promise<void>;
  /** A clean, fast shutdown. */
  stop(): Promise<void>;
  /** SIGKILL to the server: a crash. */
  kill(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

// The server ends when its keeper's standard input does, however our process came to its end. Only "keep" spares the
// data.
const keeper = `
  "$@" & server=$!
  echo $server
  read -r word
  kill -INT $server 2>/dev/null
  wait $server
  [ "$word" = keep ] || rm -rf "$SLIPWAY_TEST_FOLDER"`;

/** The folder of the PostgreSQL server programs, the newest if there are several. */
export function findServerPrograms(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env.PATH ?? "").split(delimiter),
  ];
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
}

/** Creates a cluster and starts it, on 127.0.0.1 and a unix socket, with trust authentication and fsync on. */
export async function createPostgres(programs: string): Promise<OwnPostgres> {
  const user = serverUser();
  const folder = await mkdtemp(join(tmpdir(), "slipway-pg-"));
  if (user) await chown(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const options = { ...user, cwd: folder, env: { ...process.env, LC_ALL: "C", SLIPWAY_TEST_FOLDER: folder } };
  let guard: ChildProcess | undefined;
  let serverPid = 0;

  async function run(program: string, args: readonly string[]): Promise<void> {
    const child = spawn(join(programs, program), args, { ...options, stdio: ["ignore", "ignore", "inherit"] });
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`${program} ended with ${code}`);
  }

  async function end(word: string): Promise<void> {
    if (guard === undefined) return;
    guard.ref();
    const ended = once(guard, "close");
    guard.stdin?.end(word);
    guard = undefined;
    await ended;
  }

  async function start(): Promise<void> {
    const server = [join(programs, "postgres"), "-D", data, "-k", folder, "-p", String(port)];
    const settings = ["listen_addresses=127.0.0.1", "max_connections=100", "logging_collector=off"];
    const args = ["-c", keeper, "keeper", ...server, ...settings.flatMap((setting) => ["-c", setting])];
    guard = spawn("sh", args, { ...options, detached: true, stdio: ["pipe", "pipe", "ignore"] });
    guard.unref();
    const [line] = (await once(guard.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    serverPid = Number(line.toString());
    await untilReady(url);
  }

  await run("initdb", ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
  const server: OwnPostgres = {
    url,
    start,
    stop: () => end("keep\n"),
    async kill() {
      process.kill(serverPid, "SIGKILL");
      await end("keep\n");
    },
    async remove() {
      await end("");
      await rm(folder, { recursive: true, force: true });
    },
  };
  await start();
  return server;
}

/** The server programs refuse to run as root. */
function serverUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith("postgres:"));
  if (line === undefined) throw new Error("as root, the tests need a user called postgres to run the server as");
  const [, , uid, gid] = line.split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function untilReady(url: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return await client.end();
    } catch (error) {
      if (attempt === 300) throw error;
      await sleep(50);
    }
  }
}
