// Questions at a real terminal.
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hasPty, openPty, openSlipway, type Pty } from "../support/pty.js";
import { adminPassword, logIn, startServer, type TestServer } from "../support/server.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { runCli } from "./run-cli.js";

const bin = new URL("../../src/cli/slipway.cjs", import.meta.url).pathname;
let root: string;
let server: TestServer;
let env: Record<string, string>;
let counter = 0;
let terminal: Pty | undefined;

beforeAll(async () => {
  root = await makeTempDir();
  server = await startServer();
});

afterAll(async () => {
  await server?.kill();
  await removeTempDir(root);
});

beforeEach(() => {
  const config = join(root, String(counter++));
  env = { XDG_CONFIG_HOME: config, SLIPWAY_DATA_DIR: join(config, "none") };
});

afterEach(async () => {
  await terminal?.close();
  terminal = undefined;
});

const administrator = () => ({ ...env, SLIPWAY_URL: server.url, SLIPWAY_TOKEN: server.token });

async function open(words: readonly string[], as: Record<string, string> = env): Promise<Pty> {
  terminal = await openSlipway(words, { env: as, columns: 200 });
  return terminal;
}

describe.skipIf(!hasPty)("at a terminal", () => {
  it("a login asks who and for the password, shows no key of it, and keeps the token", async () => {
    const pty = await open(["login", server.url]);
    await pty.waitFor("Login, as NAME or TENANT/NAME [admin]: ");
    pty.write("\r");
    await pty.waitFor("Password of admin: ");
    pty.write(`${adminPassword}x\x7f\r`);
    await pty.waitFor(`logged in to local (${server.url}) as default/admin, administrator`);
    expect(await pty.exit).toEqual({ code: 0, signal: undefined });
    for (const word of adminPassword.split(" ").filter((part) => part.length > 3))
      expect(pty.output).not.toContain(word);
    const { token } = JSON.parse(await readFile(join(env.XDG_CONFIG_HOME!, "slipway/servers.json"), "utf8")).servers
      .local;
    expect(pty.output).not.toContain(token);
  });

  it("a wrong password is asked for three times in all, then it is one sentence", async () => {
    const pty = await open(["login", server.url, "--login", "nobody"]);
    for (let i = 0; i < 3; i += 1) {
      if (i > 0) await pty.waitFor("That is not right, try again.");
      await pty.waitFor("Password of nobody: ");
      pty.write("wrong\r");
    }
    await pty.waitFor("slipway login: unauthenticated LOGIN_FAILED: ");
    expect((await pty.exit).code).toBe(1);
  });

  it("a wrong name may be mended at the second try", async () => {
    const pty = await open(["login", server.url]);
    await pty.waitFor("[admin]: ");
    pty.write("admim\r");
    await pty.waitFor("Password of admim: ");
    pty.write(`${adminPassword}\r`);
    await pty.waitFor("That is not right, try again.");
    await pty.waitFor("[admim]: ");
    pty.write("admin\r");
    await pty.waitFor("Password of admin: ");
    pty.write(`${adminPassword}\r`);
    await pty.waitFor("logged in to local");
    expect((await pty.exit).code).toBe(0);
  });

  it("a first password that is no longer good is told, and another one asked for", async () => {
    const data = join(env.XDG_CONFIG_HOME!, "data");
    await mkdir(data, { recursive: true });
    await writeFile(join(data, "initial-admin-password"), "an old one\n");
    const pty = await open(["login", server.url], { ...env, SLIPWAY_DATA_DIR: data });
    await pty.waitFor("using the administrator's first password, from ");
    await pty.waitFor("is not the administrator's of ");
    await pty.waitFor("[admin]: ");
    pty.write("\r");
    await pty.waitFor("Password of admin: ");
    pty.write(`${adminPassword}\r`);
    await pty.waitFor("logged in to local");
  });

  it.each([
    ["the login", "Login, as NAME", undefined],
    ["the password", "Password of admin: ", "admin"],
  ])("Ctrl-C at %s interrupts, keeps nothing, and leaves the terminal as it was", async (_, question, login) => {
    const words = login === undefined ? "" : `--login ${login}`;
    const line = `before=$(stty -g); node '${bin}' login ${server.url} ${words}; echo "code $?"; [ "$before" = "$(stty -g)" ] && echo same`;
    // A shell of its own takes Ctrl-C, too, and must live on.
    terminal = await openPty(["sh", "-c", `trap : INT; ${line}`], { env, columns: 200 });
    await terminal.waitFor(question);
    terminal.write("sec\x03");
    await terminal.waitFor("Interrupted.");
    await terminal.waitFor("code 130");
    await terminal.waitFor("same");
    await expect(stat(join(env.XDG_CONFIG_HOME!, "slipway"))).rejects.toThrow("ENOENT");
  });

  it("Ctrl-D for a password ends the command", async () => {
    const pty = await open(["login", server.url, "--login", "admin"]);
    await pty.waitFor("Password of admin: ");
    pty.write("\x04");
    await pty.waitFor("slipway login: nothing was typed");
    expect((await pty.exit).code).toBe(1);
  });

  it("a new user's password is typed twice, and both must be the same", async () => {
    const words = ["user", "create", "alice", "--role", "uploader"];
    let pty = await open(words, administrator());
    await pty.waitFor("New password: ");
    pty.write("a secret of alice\r");
    await pty.waitFor("The same once more: ");
    pty.write("a secret of alicf\r");
    await pty.waitFor("slipway user create: the two are not the same: nothing was changed");
    expect((await pty.exit).code).toBe(1);
    await pty.close();
    pty = await open(words, administrator());
    await pty.waitFor("New password: ");
    // Both at once, as a password safe types.
    pty.write("a secret of älice\ra secret of älice\r");
    await pty.waitFor("created user default/alice, uploader");
    expect((await logIn(server.url, { login: "alice", password: "a secret of älice" })).status).toBe(200);
    expect(pty.output).not.toContain("secret");
  });

  it("one's own password is changed with the present one", async () => {
    const user = ["user", "create", "bob", "--role", "reader", "--password-stdin"];
    const stdin = (async function* () {
      yield Buffer.from("a secret of bob\n");
    })();
    expect((await runCli(user, { env: administrator(), stdin })).exitCode).toBe(0);
    const { token } = await logIn(server.url, { login: "bob", password: "a secret of bob" });
    const pty = await open(["user", "passwd"], { ...administrator(), SLIPWAY_TOKEN: token });
    await pty.waitFor("Present password: ");
    pty.write("a secret of bob\r");
    await pty.waitFor("New password: ");
    pty.write("the second one\r");
    await pty.waitFor("The same once more: ");
    pty.write("the second one\r");
    await pty.waitFor("the password of default/bob is changed");
    expect((await logIn(server.url, { login: "bob", password: "the second one" })).status).toBe(200);
  });

  it("what is to be deleted must be named", async () => {
    await runCli(["tenant", "create", "acme"], { env: administrator() });
    let pty = await open(["tenant", "delete", "acme"], administrator());
    await pty.waitFor("This deletes the tenant acme. Type its name to go ahead: ");
    pty.write("yes\r");
    await pty.waitFor("slipway tenant delete: that is not the name: nothing was deleted");
    expect((await pty.exit).code).toBe(1);
    await pty.close();
    pty = await open(["tenant", "delete", "acme"], administrator());
    await pty.waitFor("go ahead: ");
    pty.write("acme\r");
    await pty.waitFor("tenant acme is deleted");
    expect((await pty.exit).code).toBe(0);
  });

  it("a token on its way to a variable is not shown", async () => {
    const line = `TOKEN=$(node '${bin}' token create --label x); echo "length \${#TOKEN}"`;
    terminal = await openPty(["sh", "-c", line], { env: administrator(), columns: 200 });
    await terminal.waitFor(/token \S+ of default\/admin ends /);
    await terminal.waitFor(/length \d\d/);
    expect(terminal.output).not.toContain("slp_");
  });
});

it("a full disk is one sentence, and the logins so far are kept", async () => {
  await runCli(["login", server.url, "--token", server.token], { env });
  const path = join(env.XDG_CONFIG_HOME!, "slipway/servers.json");
  const before = await readFile(path, "utf8");
  const { spawnSync } = await import("node:child_process");
  const line = `ulimit -f 0; exec node '${bin}' login ${server.url} --name full --token ${server.token}`;
  const { status, stderr } = spawnSync("sh", ["-c", line], {
    env: { PATH: process.env.PATH, ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/^slipway login: \S+servers\.json cannot be written \(EFBIG\)\n$/),
  ]);
  expect(await readFile(path, "utf8")).toBe(before);
  expect(await readdir(join(path, ".."))).toEqual(["servers.json"]);
});
