import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { copyEmbeddedTemplate } from "../support/embedded-template.js";
import { findUrl, logIn, makeDataDir, type ServerProcess, spawnServer } from "../support/server.js";

// Ten times what is promised: other work shares the machine.
const coldMs = 50_000;
const warmMs = 15_000;
const password = "a password of the tests";

let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.kill();
  server = undefined;
});

/** Resolves when it says that it listens. */
async function start(dataDir: string, env: Record<string, string> = {}) {
  const since = performance.now();
  server = spawnServer(["--listen", "127.0.0.1:0", "--data-dir", dataDir], {
    SLIPWAY_ADMIN_PASSWORD: password,
    ...env,
  });
  const url = await findUrl(server);
  return { url, tookMs: performance.now() - since, stderr: server.stderr };
}

describe("a start", () => {
  it.each(["json", "pretty"])(
    "with an empty folder says first what it is doing, as %s, and serves within 5 s",
    async (format) => {
      const dataDir = await makeDataDir();
      const { url, tookMs, stderr } = await start(dataDir, { SLIPWAY_LOG_FORMAT: format });
      const line = `making the embedded database in ${join(dataDir, "database")}, which takes a few seconds and happens once`;
      const [first = ""] = stderr().split("\n");
      if (format === "json") expect(JSON.parse(first)).toMatchObject({ level: 30, msg: line });
      else expect(first).toMatch(/^\d\d:\d\d:\d\d info {2}making the embedded database in .* happens once$/);
      expect(stderr().split("making the embedded database")).toHaveLength(2);
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      expect(tookMs).toBeLessThan(coldMs);
    },
  );

  it("with a database says nothing of making one, and serves within 1.5 s", async () => {
    const { url, tookMs, stderr } = await start(await copyEmbeddedTemplate());
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(stderr()).not.toContain("making");
    expect(tookMs).toBeLessThan(warmMs);
  });

  it("tells its address when calls can be served: the first one that is made then is", async () => {
    const { url } = await start(await copyEmbeddedTemplate());
    expect((await logIn(url, { password })).status).toBe(200);
  });

  it("that is told to stop before it has come that far ends with exit code 0, and the next one makes the database anew", async () => {
    const dataDir = await makeDataDir();
    server = spawnServer(["--listen", "127.0.0.1:0", "--data-dir", dataDir]);
    const { stderr, stop } = server;
    await expect.poll(stderr, { timeout: coldMs }).toContain("making the embedded database");
    expect(await stop()).toBe(0);
    expect(server.stdout()).toBe("");
    // One that is half made has another name.
    expect(existsSync(join(dataDir, "database"))).toBe(false);
    const { url } = await start(dataDir);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });
});
