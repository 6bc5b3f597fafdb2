import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { runCli } from "../cli/run-cli.js";
import { openClient } from "../support/client.js";
import { copyEmbeddedTemplate } from "../support/embedded-template.js";
import { logIn, spawnServer, startServer, type TestServer } from "../support/server.js";

let server: TestServer | undefined;
afterEach(async () => {
  await server?.kill();
  server = undefined;
});

/** With no password of the tests' own. */
async function start(dataDir: string, password = ""): Promise<TestServer> {
  server = await startServer({ dataDir, env: { SLIPWAY_ADMIN_PASSWORD: password } });
  return server;
}
const fileOf = (dataDir: string) => join(dataDir, "initial-admin-password");
const passwordIn = async (dataDir: string) => (await readFile(fileOf(dataDir), "utf8")).trim();
const filesOf = async (dataDir: string) => (await readdir(dataDir)).filter((name) => name.includes("password"));

describe("the first start", () => {
  it("writes a password for its owner alone; the log names the file and never the password", async () => {
    const dataDir = await copyEmbeddedTemplate();
    const { url, stderr, stdout } = await start(dataDir);
    const password = await passwordIn(dataDir);
    expect(password).toMatch(/^[\w-]{32}$/);
    expect((await stat(fileOf(dataDir))).mode & 0o777).toBe(0o600);
    expect(await filesOf(dataDir)).toEqual(["initial-admin-password"]);
    expect(stderr()).toContain(fileOf(dataDir));
    expect(stderr() + stdout()).not.toContain(password);
    expect((await logIn(url, { password })).status).toBe(200);
  });

  it("lets the command line in on the same machine, which finds the password in the data folder", async () => {
    const dataDir = await copyEmbeddedTemplate();
    const { url } = await start(dataDir);
    const env = { SLIPWAY_URL: url, SLIPWAY_DATA_DIR: dataDir };
    for (const protocol of ["connect", "grpc"]) {
      const { exitCode, stdout, stderr } = await runCli(["ls", "--json", "--protocol", protocol], { env });
      expect([exitCode, stderr, JSON.parse(stdout)]).toMatchObject([0, "", { sessions: [] }]);
    }
  });

  it("takes the password that a start before it wrote, and died", async () => {
    const dataDir = await copyEmbeddedTemplate();
    await writeFile(fileOf(dataDir), "from the other start\n");
    const { url } = await start(dataDir);
    expect((await logIn(url, { password: "from the other start" })).status).toBe(200);
    expect(await passwordIn(dataDir)).toBe("from the other start");
  });

  it("refuses a file that holds no password, and names it", async () => {
    const dataDir = await copyEmbeddedTemplate();
    await writeFile(fileOf(dataDir), "short\n");
    const child = spawnServer(["--listen", "127.0.0.1:0", "--data-dir", dataDir]);
    expect(await child.exited).toBe(1);
    expect(child.stderr()).toContain(fileOf(dataDir));
  });

  it("with SLIPWAY_ADMIN_PASSWORD leaves no file; at later starts it counts for nothing", async () => {
    const dataDir = await copyEmbeddedTemplate();
    await writeFile(fileOf(dataDir), "from the other start\n");
    await start(dataDir, "chosen by hand");
    await expect.poll(() => filesOf(dataDir)).toEqual([]);
    await server?.stop();
    const { url } = await start(dataDir, "chosen later");
    expect((await logIn(url, { password: "chosen later" })).status).toBe(401);
    expect((await logIn(url, { password: "chosen by hand" })).status).toBe(200);
    expect(await filesOf(dataDir)).toEqual([]);
  });
});

it("the file goes when the administrator's password changes, and is not made again", async () => {
  const dataDir = await copyEmbeddedTemplate();
  const { url } = await start(dataDir);
  const currentPassword = await passwordIn(dataDir);
  const authorization = `Basic ${btoa(`admin:${currentPassword}`)}`;
  const { access, close } = openClient({ url, authorization });
  await access.createUser({ name: "other", role: 1, password: "some password" });
  expect(await filesOf(dataDir)).toHaveLength(1);
  await access.changePassword({ currentPassword, newPassword: "another one" });
  close();
  await expect.poll(() => filesOf(dataDir)).toEqual([]);
  expect(await server?.stop()).toBe(0);
  const again = await start(dataDir);
  expect(await filesOf(dataDir)).toEqual([]);
  expect((await logIn(again.url, { password: "another one" })).status).toBe(200);
});

it("a token outlives restarts and kills, and its last use is taken down at a stop", async () => {
  const dataDir = await copyEmbeddedTemplate();
  const { url } = await start(dataDir, "chosen by hand");
  const { token } = await logIn(url, { password: "chosen by hand" });
  await server?.kill();
  const lastUse = async () => {
    const { access, close } = openClient({ url: (await start(dataDir)).url, token });
    const { accessToken } = await access.whoAmI({});
    close();
    return Number(accessToken!.lastUseTime!.seconds) * 1_000 + accessToken!.lastUseTime!.nanos / 1e6;
  };
  const before = await lastUse();
  expect(await server?.stop()).toBe(0);
  expect(await lastUse()).toBeGreaterThan(before);
});
