// What an upload draws: the built command, in real terminals and in none.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasPty, openSlipway } from "../support/pty.js";
import { startServer, type TestServer } from "../support/server.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";

const mib = 2 ** 20;
const slipway = fileURLToPath(new URL("../../src/cli/slipway.cjs", import.meta.url));

let server: TestServer;
let line: TcpProxy;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await makeTempDir();
  server = await startServer();
  line = await startTcpProxy(server.url);
  line.limit(16 * mib);
  env = { SLIPWAY_URL: line.url, SLIPWAY_TOKEN: server.token };
  await writeFile(join(folder, "movie"), randomBytes(20 * mib));
});
afterAll(async () => {
  await line.close();
  await server.kill();
  await removeTempDir(folder);
});

describe.runIf(hasPty)("the bar of an upload", () => {
  it.each([40, 80, 200])("takes one row of %i columns, is drawn over and over, and stays full", async (columns) => {
    const pty = await openSlipway(["upload", "movie"], { cwd: folder, env, columns });
    expect((await pty.exit).code).toBe(0);
    const bars = (await pty.screenRows()).filter((row) => /^\[[#> ]+\]/.test(row));
    expect(bars).toHaveLength(1);
    expect(bars[0]).toMatch(/^\[#+\] {2}100%/);
    expect(pty.output.split("\r[").length).toBeGreaterThan(4);
    expect(pty.output).not.toContain("\x1b[?25l");
  });

  it("fits the terminal when that becomes wider and narrower", async () => {
    const pty = await openSlipway(["upload", "movie"], { cwd: folder, env, columns: 60 });
    const bar = (width: number) => new RegExp(`\\[#*>? *\\](?<=\\[[#> ]{${width}}\\])`);
    await pty.waitFor(bar(10));
    pty.resize(180, 24);
    await pty.waitFor(bar(30));
    pty.resize(50, 24);
    await pty.waitFor(bar(8));
    expect((await pty.exit).code).toBe(0);
  });

  it("is none on a terminal that cannot draw, and in automation", async () => {
    for (const more of [{ TERM: "dumb" }, { CI: "true" }]) {
      const pty = await openSlipway(["upload", "movie"], { cwd: folder, env: { ...env, ...more } });
      expect((await pty.exit).code).toBe(0);
      expect(pty.output).not.toContain("\x1b");
      expect(pty.output).not.toContain("[#");
    }
  });
});

it("an upload without a terminal writes no escape sequences, and quietly nothing at all", async () => {
  const run = (...words: string[]) =>
    promisify(execFile)(process.execPath, [slipway, "upload", "movie", ...words], {
      cwd: folder,
      env: { ...env, PATH: process.env.PATH },
    });
  const { stdout, stderr } = await run();
  expect(`${stdout}${stderr}`).not.toMatch(/[^\n\x20-\x7e]/);
  expect(await run("--quiet")).toEqual({ stdout: "", stderr: "" });
});
