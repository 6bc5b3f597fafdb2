// The Dockerfile's steps and the systemd unit's words, run for real as far as a machine without either can: what the image
// holds is laid out in a folder, and the server runs from nothing else, as a user who may write to the data folder alone.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/server/config.js";
import { findUrl, type ServerProcess, untilReady, watchServer } from "../support/server.js";
import { buildStages, listFiles, parseDockerfile, parseIgnore, type Stage } from "./dockerfile.js";
import { parseUnit, type UnitSection } from "./unit-file.js";

const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

let place: string;
let image: Stage;
const servers: ServerProcess[] = [];

/** What is inherited: the registry's settings and the like, and nothing of ours or of the npm that runs the tests. */
const inherited = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => {
    const ofNpm = /^npm_(?!config_)|^npm_config_(local_|global_)?prefix$/i.test(name);
    return !ofNpm && !/^(SLIPWAY_.*|DATABASE_URL|NODE_OPTIONS|NODE_ENV|VITEST.*)$/.test(name);
  }),
) as Record<string, string>;

beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "slipway-image-"));
  chmodSync(place, 0o755);
  const env = { ...inherited, npm_config_prefer_offline: "true", npm_config_audit: "false", npm_config_fund: "false" };
  const files = { dockerfile: read("Dockerfile"), ignore: read(".dockerignore") };
  image = buildStages({ ...files, context: root, place, owner: nobody, env }).at(-1)!;
}, 300_000);
afterAll(async () => {
  for (const server of servers) await server.kill();
  rmSync(place, { recursive: true, force: true });
});

/** Where the path of an installed machine lies here. */
const here = (word: string) =>
  word.startsWith("/opt/") || word.startsWith("/data")
    ? join(image.root, word)
    : word.replace(/^(\/usr\/bin\/)?node$/, process.execPath);

/** With nothing in its environment but what is given, and no home. */
function run(words: readonly string[], env: Readonly<Record<string, string>>, cwd: string): ServerProcess {
  const [program = "", ...rest] = words.map(here);
  const stdio = ["ignore", "pipe", "pipe"] as const;
  const server = watchServer(spawn(program, rest, { env: { ...env }, cwd, stdio: [...stdio], ...nobody }));
  servers.push(server);
  return server;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A file of a few bytes, there and back. */
async function storeFile(url: string, dataDir: string): Promise<void> {
  const password = readFileSync(join(dataDir, "initial-admin-password"), "utf8").trim();
  const headers = { authorization: `Basic ${btoa(`admin:${password}`)}`, "content-type": "application/json" };
  const body = JSON.stringify({ spec: { name: "a" }, data: btoa("some bytes") });
  const response = await fetch(`${url}/slipway.upload.v1.FileService/PutFile`, { method: "POST", headers, body });
  expect([response.status, await response.json()]).toMatchObject([200, { file: { committedOffset: "10" } }]);
}

describe("the readers of these tests", () => {
  it("take a Dockerfile's lines that go on, its comments, flags and JSON forms, and refuse other words", () => {
    const text = '# a\nENV A=1 \\\n  # b\n  B=2\nCOPY --from=x --chown=a:b c d\nCMD ["e f", "g"]\n';
    expect(parseDockerfile(text)).toMatchObject([
      { name: "ENV", words: ["A=1", "B=2"], isJson: false },
      { name: "COPY", flags: { from: "x", chown: "a:b" }, words: ["c", "d"] },
      { name: "CMD", words: ["e f", "g"], isJson: true },
    ]);
    expect(() => parseDockerfile("what is this")).toThrow("not an instruction");
  });

  it("take a .dockerignore's last word on a path", () => {
    const lets = parseIgnore("*\n!src\n!a/b.c\nsrc/*.md\n");
    const paths = ["x", "src", "src/x/y.ts", "src/x.md", "a/b.c", "a/bxc", "a/other"];
    expect(paths.filter(lets)).toEqual(["src", "src/x/y.ts", "a/b.c"]);
  });

  it("take a unit's keys, of which an empty value takes back what was before it", () => {
    const unit = parseUnit("# c\n[A]\nx=1\nx=2=3\ny=1\ny=\n[B]\nx=\n");
    expect([unit.get("A")?.get("x"), unit.get("A")?.get("y"), unit.get("B")?.get("x")]).toEqual([["1", "2=3"], [], []]);
    expect(() => parseUnit("x=1")).toThrow("not of a unit");
  });
});

describe("the image that the Dockerfile describes", () => {
  it("is of one slim Debian image with a Node that the package supports", () => {
    const bases = parseDockerfile(read("Dockerfile"))
      .filter(({ name }) => name === "FROM")
      .map(({ words }) => words[0]);
    expect(new Set(bases)).toEqual(new Set([image.base]));
    const [, major] = /^node:(\d+)-bookworm-slim$/.exec(image.base) ?? [];
    expect(Number(major)).toBeGreaterThanOrEqual(20);
  });

  it("holds the built program and the packages that it needs, and no tests, sources, secrets or tools of its making", () => {
    const files = listFiles(image);
    const own = files.filter((file) => !file.startsWith("/opt/slipway/node_modules/"));
    const kinds = new Set(own.map((file) => file.replace(/^\/opt\/slipway\/dist\/.*\.(js|mjs)(\.map)?$/, "dist")));
    const rest = ["/opt/slipway/ops/healthcheck.cjs", "/opt/slipway/package.json", "/opt/slipway/src/cli/slipway.cjs"];
    expect([...kinds].sort()).toEqual([...rest, "dist"]);
    expect(files.filter((file) => /\/(\.git|\.npmrc|\.env[^/]*|slipway-data)(\/|$)|\.pem$/.test(file))).toEqual([]);
    const lock = JSON.parse(read("package-lock.json")) as { packages: Record<string, { dev?: boolean }> };
    const packages = files.flatMap(
      (file) => /^\/opt\/slipway\/(.*node_modules\/[^/]+\/.*)package\.json$/.exec(file)?.[1] ?? [],
    );
    const named = packages.map((folder) => folder.replace(/\/$/, "")).filter((folder) => folder in lock.packages);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((folder) => lock.packages[folder]?.dev)).toEqual([]);
  });

  it("runs as a user who is not root, without a shell between, and says where its data and its port are", () => {
    const { USER, VOLUME, EXPOSE, STOPSIGNAL, ENTRYPOINT, CMD, HEALTHCHECK } = image.last;
    expect([USER?.text, VOLUME?.text, EXPOSE?.text, STOPSIGNAL?.text]).toEqual(["node", "/data", "8080", "SIGTERM"]);
    expect([ENTRYPOINT?.isJson, CMD?.isJson, CMD?.words]).toEqual([true, true, ["serve"]]);
    expect(HEALTHCHECK?.text).toContain("CMD [");
    expect(image.env).toMatchObject({ SLIPWAY_LISTEN: "0.0.0.0:8080", SLIPWAY_DATA_DIR: "/data" });
  });

  it("starts, is healthy, takes a file in, stops at its signal with exit code 0, and is not healthy then", async () => {
    const port = await freePort();
    const dataDir = here("/data");
    const env = { ...image.env, SLIPWAY_DATA_DIR: dataDir, SLIPWAY_LISTEN: `127.0.0.1:${port}` };
    const { ENTRYPOINT, CMD, HEALTHCHECK } = image.last;
    const server = run([...ENTRYPOINT!.words, ...CMD!.words], env, here(image.workdir));
    const url = await findUrl(server);
    await untilReady(server, url);
    const [, json = ""] = /CMD (\[.*\])$/.exec(HEALTHCHECK!.text) ?? [];
    const [program = "", ...words] = (JSON.parse(json) as string[]).map(here);
    const checkHealth = (settings: Record<string, string> = {}) =>
      spawnSync(program, words, { env: { ...env, ...settings }, ...nobody }).status;
    // The image's own setting is of all addresses.
    expect([checkHealth(), checkHealth({ SLIPWAY_LISTEN: `0.0.0.0:${port}` })]).toEqual([0, 0]);
    expect(checkHealth({ SLIPWAY_TLS_CERT: "x" })).toBe(1);
    await storeFile(url, dataDir);
    expect(await server.stop()).toBe(0);
    expect(checkHealth()).toBe(1);
  });
});

describe("the systemd unit", () => {
  const unit = parseUnit(read("ops/slipway.service"));
  const service = unit.get("Service") as UnitSection;
  const one = (key: string) => service.get(key)?.[0] ?? "";
  let state: string;

  beforeAll(() => {
    state = join(place, "state");
    mkdirSync(join(state, one("StateDirectory")), { recursive: true, mode: 0o755 });
    if (nobody) chownSync(join(state, one("StateDirectory")), nobody.uid, nobody.gid);
  });

  /** As the unit says, with what /etc/slipway.env would add. */
  function start(settings: Record<string, string>): ServerProcess {
    const environment = service
      .get("Environment")
      ?.map((line) => line.replaceAll("%S", state).split(/=(.*)/s).slice(0, 2));
    const env = { ...Object.fromEntries(environment ?? []), ...settings };
    return run(one("ExecStart").split(" "), env, "/");
  }

  it("starts the server, which needs no home and a writable state folder alone, and its signal ends it in time with exit code 0", async () => {
    const server = start({ SLIPWAY_LISTEN: "127.0.0.1:0" });
    const url = await findUrl(server);
    await untilReady(server, url);
    await storeFile(url, join(state, "slipway"));
    const environment = readFileSync(`/proc/${server.pid}/environ`, "utf8").split("\0");
    expect(environment).toContain("MALLOC_ARENA_MAX=2");
    const since = performance.now();
    process.kill(server.pid, one("KillSignal") as NodeJS.Signals);
    expect(await server.exited).toBe(0);
    expect(performance.now() - since).toBeLessThan(Number(one("TimeoutStopSec")) * 1000);
  });

  it("starts it anew after a failure, unless a setting is wrong: the exit code is the one that is excepted", async () => {
    expect([one("Restart"), one("RestartPreventExitStatus")]).toEqual(["on-failure", "2"]);
    const server = start({ SLIPWAY_LISTEN: "nonsense" });
    expect(await server.exited).toBe(Number(one("RestartPreventExitStatus")));
    expect(server.stderr()).toMatch(/^slipway: SLIPWAY_LISTEN must be [^\n]*\n$/);
  });

  it("forbids nothing that the server needs: code made at run time, unix sockets, and the sockets of the machine", () => {
    expect(service.has("MemoryDenyWriteExecute")).toBe(false);
    expect(service.has("PrivateNetwork")).toBe(false);
    expect(one("RestrictAddressFamilies").split(" ")).toEqual(
      expect.arrayContaining(["AF_INET", "AF_INET6", "AF_UNIX"]),
    );
    expect(Number(one("TimeoutStopSec"))).toBeGreaterThan(36);
  });

  const hasAnalyze = spawnSync("systemd-analyze", ["--version"]).error === undefined;
  it.runIf(hasAnalyze)("is in order as systemd reads it, and leaves the service little to do harm with", () => {
    const path = join(place, "slipway.service");
    writeFileSync(path, read("ops/slipway.service").replace("/usr/bin/node", process.execPath));
    const verified = spawnSync("systemd-analyze", ["verify", path], { encoding: "utf8" });
    expect([verified.status, verified.stderr]).toEqual([0, ""]);
    const words = ["security", "--offline=true", "--threshold=20", path];
    expect(spawnSync("systemd-analyze", words, { encoding: "utf8" }).status).toBe(0);
  });
});

describe("the example of an environment file", () => {
  const lines = read("ops/slipway.env")
    .split("\n")
    .filter((line) => line !== "");

  it("sets nothing: each of its settings is commented, at its default, and one that the README lists", () => {
    expect(lines.filter((line) => !line.startsWith("#"))).toEqual([]);
    const pairs = lines.flatMap((line) => {
      const [, name, value] = /^#([A-Z_]+)=(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value ?? ""] as const];
    });
    expect(pairs.length).toBeGreaterThan(10);
    const listed = new Set([...read("README.md").matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name));
    expect(pairs.map(([name]) => name).filter((name) => !listed.has(name))).toEqual([]);
    expect(readConfig(Object.fromEntries(pairs), false)).toEqual(readConfig({}, false));
  });
});
