// What a server process does when it is told to end: once, twice, and before it has begun.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { addFile, hangingStream, messagesOf, readBack, send, statusOf } from "../rpc/scene.js";
import { pseudoRandom } from "../support/bodies.js";
import { openClient, refusalOf } from "../support/client.js";
import { copyEmbeddedTemplate } from "../support/embedded-template.js";
import { openTestSchema, postgresAvailable } from "../support/postgres.js";
import { makeDataDir, type ServerProcess, spawnServer, startServer, type TestServer } from "../support/server.js";

const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

const started: Pick<TestServer, "kill">[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.kill();
});

async function start(options: Parameters<typeof startServer>[0] = {}): Promise<TestServer> {
  const server = await startServer(options);
  started.push(server);
  return server;
}

function spawnOn(dataDir: string): ServerProcess {
  const server = spawnServer(["--listen", "127.0.0.1:0", "--data-dir", dataDir]);
  started.push(server);
  return server;
}

const errorsIn = ({ stderr }: Pick<TestServer, "stderr">) =>
  stderr()
    .split("\n")
    .filter((line) => /"level":(50|60)|^slipway: /.test(line));

it.each(signals)("%s ends an idle server at once, with exit code 0 and nothing to complain of", async (signal) => {
  const server = await start();
  const since = performance.now();
  process.kill(server.pid, signal);
  expect(await server.stop()).toBe(0);
  // A tenth of it, usually: the bound only has to be far from the ten seconds that calls get.
  expect(performance.now() - since).toBeLessThan(5_000);
  expect(errorsIn(server)).toEqual([]);
});

it("a second signal waits for no call: what has arrived is committed, the client told UNAVAILABLE, and the exit code 0 (P3)", async () => {
  const content = pseudoRandom(700_000);
  const server = await start({ env: { SLIPWAY_CHECKPOINT_INTERVAL: "1h" } });
  const client = openClient(server, "grpc/2");
  const place = await addFile(client);
  const sent = hangingStream(messagesOf(place, content, { finish: false }), new Promise(() => undefined));
  const upload = refusalOf(client.files.uploadFile(sent));
  while ((await client.files.getFile({ ...place })).file?.attempt === 0) await sleep(10);
  await sleep(500);
  process.kill(server.pid, "SIGTERM");
  await expect.poll(() => server.stderr()).toContain("stopping");
  const since = performance.now();
  expect(await server.stop()).toBe(0);
  expect(performance.now() - since).toBeLessThan(8_000);
  expect((await upload).code).toBe("UNAVAILABLE");
  client.close();
  const next = await start({ dataDir: server.dataDir });
  const again = openClient(next);
  expect(await statusOf(again, place)).toBe(content.length);
  await send(again, place, new Uint8Array(), { offset: content.length });
  expect((await readBack(again, place)).equals(content)).toBe(true);
  again.close();
  expect(errorsIn(server)).toEqual([]);
});

describe("SIGTERM before the server listens ends it at once with exit code 0, and the folder is usable", () => {
  /** Signals when this has happened, and starts another server on the folder afterwards. */
  async function stopWhen(dataDir: string, server: ServerProcess, has: () => boolean): Promise<void> {
    while (!has()) await sleep(5);
    const since = performance.now();
    expect(await server.stop()).toBe(0);
    expect(performance.now() - since).toBeLessThan(5_000);
    expect(server.stdout()).toBe("");
    expect(errorsIn(server)).toEqual([]);
    const next = await start({ dataDir });
    expect(await next.stop()).toBe(0);
  }

  it("while it waits for the folder; the server that has it goes on", async () => {
    const dataDir = await copyEmbeddedTemplate();
    const holder = await start({ dataDir });
    const server = spawnOn(dataDir);
    await expect.poll(() => server.stderr(), { timeout: 30_000 }).toContain("waiting for the server");
    expect(await server.stop()).toBe(0);
    const client = openClient(holder);
    await addFile(client);
    client.close();
    expect(await holder.stop()).toBe(0);
    await stopWhen(dataDir, spawnOn(dataDir), () => existsSync(`${dataDir}/lock`));
  });

  it("while it makes the embedded database", async () => {
    const dataDir = await makeDataDir();
    const server = spawnOn(dataDir);
    await stopWhen(dataDir, server, () => server.stderr().includes("making the embedded database"));
  });

  it.each([300, 450, 600, 800])("%i ms after its process has begun", async (ms) => {
    const dataDir = await copyEmbeddedTemplate();
    const server = spawnOn(dataDir);
    // On any moment there is: what it is in the middle of depends on the machine.
    await sleep(ms);
    process.kill(server.pid, "SIGTERM");
    const code = await server.exited;
    // A program that has not been loaded yet cannot listen to anything.
    if (code !== null) expect(code).toBe(0);
    expect(errorsIn(server)).toEqual([]);
    const next = await start({ dataDir });
    expect(await next.stop()).toBe(0);
  });
});

/** A way to a database over which, from one moment on, nothing comes any more: no answer, no end. */
async function openRelay(url: string) {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  const relay = createServer((near) => {
    const far = connect(Number(port) || 5432, hostname);
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on("error", () => undefined);
    near.pipe(far);
    far.pipe(near);
  }).listen(0, "127.0.0.1");
  await once(relay, "listening");
  const through = new URL(url);
  through.host = `127.0.0.1:${(relay.address() as AddressInfo).port}`;
  return {
    url: through.href,
    silence() {
      for (const socket of sockets) socket.unpipe().pause();
      relay.removeAllListeners("connection").on("connection", (socket) => sockets.push(socket));
    },
    close() {
      for (const socket of sockets) socket.destroy();
      relay.close();
    },
  };
}

it.runIf(postgresAvailable())("SIGTERM ends a server whose database answers nothing, with exit code 0", async () => {
  const schema = await openTestSchema();
  const relay = await openRelay(schema.url);
  try {
    const server = await start({ databaseUrl: relay.url });
    const client = openClient(server);
    await addFile(client);
    relay.silence();
    const hanging = refusalOf(client.sessions.createSession({}));
    await sleep(300);
    const since = performance.now();
    process.kill(server.pid, "SIGTERM");
    await expect.poll(() => server.stderr()).toContain("stopping");
    expect(await server.stop()).toBe(0);
    expect(performance.now() - since).toBeLessThan(45_000);
    await hanging;
    client.close();
  } finally {
    relay.close();
    await schema.drop();
  }
});
