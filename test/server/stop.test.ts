import { once } from "node:events";
import { Agent, get } from "node:http";
import { connect as connect2 } from "node:http2";
import { get as getSecurely, Agent as SecureAgent } from "node:https";
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { addFile, deferred, hangingStream, messagesOf, readBack, send, statusOf, storeFile } from "../rpc/scene.js";
import { pseudoRandom } from "../support/bodies.js";
import { mainWires, openClient, refusalOf } from "../support/client.js";
import { makeDataDir, spawnServer, startServer, type TestServer } from "../support/server.js";

const content = pseudoRandom(700_000);

describe.each(mainWires)("SIGTERM during an upload over %s", (wire) => {
  it("lets an upload that goes on come to its end, and the exit code is 0", async () => {
    const server = await startServer();
    const client = openClient(server, wire);
    const place = await addFile(client, {});
    const more = deferred();
    async function* messages() {
      const all = [...messagesOf(place, content)];
      yield* all.slice(0, 4);
      await more.promise;
      yield* all.slice(4);
    }
    const upload = client.files.uploadFile(messages());
    upload.catch(() => undefined);
    while ((await client.files.getFile({ ...place })).file?.attempt === 0) await new Promise((r) => setTimeout(r, 10));
    const stopped = server.stop();
    setTimeout(more.resolve, 500);
    expect((await upload).file?.committedOffset).toBe(BigInt(content.length));
    client.close();
    expect(await stopped).toBe(0);
  });

  it("cuts one that hangs after the time that calls get, commits its prefix, tells the client UNAVAILABLE, and the exit code is 0 (P3)", async () => {
    const server = await startServer({ env: { SLIPWAY_CHECKPOINT_INTERVAL: "1h" } });
    const client = openClient(server, wire);
    const place = await addFile(client);
    const sent = hangingStream(messagesOf(place, content, { finish: false }), new Promise(() => undefined));
    const upload = refusalOf(client.files.uploadFile(sent));
    while ((await client.files.getFile({ ...place })).file?.attempt === 0) await new Promise((r) => setTimeout(r, 10));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const since = performance.now();
    expect(await server.stop()).toBe(0);
    expect(performance.now() - since).toBeLessThan(25_000);
    const told = (await upload).code;
    client.close();
    const next = await startServer({ dataDir: server.dataDir });
    const again = openClient(next, wire);
    expect(await statusOf(again, place)).toBe(content.length);
    await send(again, place, new Uint8Array(), { offset: content.length });
    expect((await readBack(again, place)).equals(content)).toBe(true);
    again.close();
    await next.kill();
    expect(told).toBe("UNAVAILABLE");
  });
});

/** Connections that want nothing, and how to let go of them. */
const idle: Readonly<Record<string, (server: TestServer) => Promise<() => void>>> = {
  async "HTTP/1.1 connections that are kept alive"({ url }) {
    const agent = new Agent({ keepAlive: true });
    const asked = Array.from({ length: 20 }, async () => {
      const [response] = await once(get(`${url}/healthz`, { agent }), "response");
      await once(response.resume(), "end");
    });
    await Promise.all(asked);
    return () => agent.destroy();
  },
  async "HTTP/2 connections without a call"({ url }) {
    const session = connect2(url).on("error", () => undefined);
    await once(session, "remoteSettings");
    return () => session.destroy();
  },
  async "silent connections"({ port }) {
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    await once(socket, "connect");
    return () => void socket.destroy();
  },
};

it.each(Object.keys(idle))("SIGTERM is not held up by %s", async (kind) => {
  const server = await startServer();
  const letGo = await idle[kind]!(server);
  const since = performance.now();
  expect(await server.stop()).toBe(0);
  // A stop that waits for connections takes the whole ten seconds that calls get.
  expect(performance.now() - since).toBeLessThan(9_000);
  letGo();
});

it.each([false, true])(
  "SIGTERM lets idle connections go at once, says so to HTTP/2 (GOAWAY), and waits for the call under way (TLS: %s)",
  async (tls) => {
    const server = await startServer({ tls });
    const client = openClient(server, "grpc/2");
    const place = await addFile(client);
    const more = deferred();
    async function* messages() {
      const all = [...messagesOf(place, content)];
      yield* all.slice(0, 4);
      await more.promise;
      yield* all.slice(4);
    }
    const upload = client.files.uploadFile(messages());
    upload.catch(() => undefined);
    while ((await client.files.getFile({ ...place })).file?.attempt === 0) await new Promise((r) => setTimeout(r, 10));
    const agent = tls ? new SecureAgent({ keepAlive: true, ca: server.ca }) : new Agent({ keepAlive: true });
    const [response] = await once((tls ? getSecurely : get)(`${server.url}/healthz`, { agent }), "response");
    const kept = response.socket as Socket;
    await once(response.resume(), "end");
    const idle2 = connect2(server.url, tls ? { ca: server.ca } : {}).on("error", () => undefined);
    await once(idle2, "remoteSettings");
    const goneAway = once(idle2, "goaway");
    const letGo = Promise.all([once(kept, "close"), once(idle2, "close")]);
    const stopped = server.stop();
    const [code] = await goneAway;
    await letGo;
    more.resolve();
    expect([code, (await upload).file?.committedOffset]).toEqual([0, BigInt(content.length)]);
    client.close();
    agent.destroy();
    expect(await stopped).toBe(0);
  },
);

it("what was acknowledged before a stop is there after it, and the folder is free", async () => {
  const server = await startServer();
  const client = openClient(server);
  const place = await storeFile(client, content);
  client.close();
  expect(await server.stop()).toBe(0);
  const next = await startServer({ dataDir: server.dataDir });
  expect(next.stderr()).not.toContain("waiting");
  const again = openClient(next);
  expect((await readBack(again, place)).equals(content)).toBe(true);
  again.close();
  await next.kill();
});

it("SIGINT stops like SIGTERM", async () => {
  const server = await startServer();
  process.kill(server.pid, "SIGINT");
  expect(await server.stop()).toBe(0);
});

it("a port that is taken ends the start with one sentence that names it, and exit code 1", async () => {
  const first = await startServer();
  const address = `127.0.0.1:${first.port}`;
  const second = spawnServer(["--listen", address, "--data-dir", await makeDataDir()]);
  expect(await second.exited).toBe(1);
  const sentences = second
    .stderr()
    .split("\n")
    .filter((line) => line.startsWith("slipway: "));
  expect(sentences).toHaveLength(1);
  expect(sentences[0]).toContain(address);
  await first.kill();
});
