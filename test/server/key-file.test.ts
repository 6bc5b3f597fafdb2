import { readFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadKey } from "../../src/server/key-file.js";
import { makeDataDir, startServer, type TestServer } from "../support/server.js";

describe.each(["capability-key", "folio-token-key"] as const)("the key file %s", (name) => {
  it("is made once, for its owner alone, and is the same ever after", async () => {
    const dataDir = await makeDataDir();
    const key = await loadKey(dataDir, name);
    expect(key).toHaveLength(32);
    expect((await stat(join(dataDir, name))).mode & 0o777).toBe(0o600);
    expect(await loadKey(dataDir, name)).toEqual(key);
    expect(await loadKey(await makeDataDir(), name)).not.toEqual(key);
  });

  it("that is damaged is named, and not replaced", async () => {
    const dataDir = await makeDataDir();
    await loadKey(dataDir, name);
    const path = join(dataDir, name);
    await truncate(path, 31);
    await expect(loadKey(dataDir, name)).rejects.toThrow(`${path} does not hold a key; remove it to get a new one`);
    expect(await readFile(path)).toHaveLength(31);
  });
});

it("each thing has a key of its own", async () => {
  const dataDir = await makeDataDir();
  expect(await loadKey(dataDir, "folio-token-key")).not.toEqual(await loadKey(dataDir, "capability-key"));
});

describe("a server", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.kill());

  it("has a key, and answers below /t/ as capability URLs do, beside its health and what is nothing", async () => {
    expect((await stat(join(server.dataDir, "capability-key"))).size).toBe(32);
    const ask = async (path: string) => {
      const answer = await fetch(server.url + path, { method: path === "/healthz" ? "GET" : "PUT", body: null });
      await answer.arrayBuffer();
      return [answer.status, answer.headers.get("content-type")];
    };
    expect(await ask("/t/x")).toEqual([404, "application/problem+json"]);
    expect(await ask("/healthz")).toEqual([200, "application/json"]);
    expect(await ask("/elsewhere")).toEqual([404, "application/json"]);
  });
});
