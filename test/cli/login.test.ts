import { chmod, mkdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openClient } from "../support/client.js";
import { adminPassword, startServer, type TestServer } from "../support/server.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { typed } from "./typed.js";
import { runCli } from "./run-cli.js";

let root: string;
let server: TestServer;
let other: TestServer;
let env: Record<string, string>;
let file: string;
let counter = 0;

beforeAll(async () => {
  root = await makeTempDir();
  [server, other] = await Promise.all([startServer(), startServer()]);
});

afterAll(async () => {
  await Promise.all([server?.kill(), other?.kill()]);
  await removeTempDir(root);
});

beforeEach(() => {
  const config = join(root, String(counter++));
  // No data folder is found: the administrator's first password is for the tests that are about it.
  env = { XDG_CONFIG_HOME: config, SLIPWAY_DATA_DIR: join(config, "none") };
  file = join(config, "slipway", "servers.json");
});

const run = (...words: string[]) => runCli(words, { env });
const logIn = (url: string, ...words: string[]) =>
  runCli(["login", url, "--password-stdin", ...words], { env, stdin: typed(`${adminPassword}\n`) });
const readFileJson = async () => JSON.parse(await readFile(file, "utf8"));
const json = async (...words: string[]) => JSON.parse((await run(...words, "--json")).stdout);

describe("a login", () => {
  it("by a password from standard input is kept in a file that nobody else may read", async () => {
    const { exitCode, stdout, stderr } = await logIn(server.url);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(`logged in to local (${server.url}) as default/admin, administrator\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(file, ".."))).mode & 0o777).toBe(0o700);
    expect(await readFileJson()).toEqual({
      current: "local",
      servers: { local: { url: server.url, token: expect.stringMatching(/^[\w-]{40,}$/), login: "default/admin" } },
    });
    expect(await json("whoami")).toEqual({
      server: { name: "local", url: server.url },
      user: expect.objectContaining({ login: "default/admin", role: "admin", tenant: "default" }),
      token: expect.objectContaining({ label: `slipway on ${hostname()}`, audience: "rpc" }),
    });
    expect((await run("ls")).exitCode).toBe(0);
  });

  it("over gRPC is the same", async () => {
    expect((await logIn(server.url, "--protocol", "grpc")).exitCode).toBe(0);
  });

  it("prints one JSON object without the token when asked", async () => {
    const { stdout } = await logIn(server.url, "--json");
    expect(JSON.parse(stdout)).toEqual({ server: "local", url: server.url, login: "default/admin", role: "admin" });
  });

  it("with a wrong password is one sentence, and keeps nothing", async () => {
    const { exitCode, stdout, stderr } = await runCli(["login", server.url, "--password-stdin"], {
      env,
      stdin: typed("another\n"),
    });
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^slipway login: unauthenticated LOGIN_FAILED: [^\n]+\n$/);
    await expect(stat(file)).rejects.toThrow("ENOENT");
  });

  it("that too many failed before says that it is not tried again by itself, and what to do", async () => {
    const attempt = () =>
      runCli(["login", other.url, "--login", "throttled", "--password-stdin"], { env, stdin: typed("wrong\n") });
    let last = await attempt();
    for (let i = 0; i < 10 && !last.stderr.includes("LOGIN_THROTTLED"); i += 1) last = await attempt();
    expect(last.exitCode).toBe(1);
    expect(last.stderr).toMatch(
      /^slipway login: resource_exhausted LOGIN_THROTTLED: [^\n]+; try again in half a minute\n$/,
    );
  });

  it("without a terminal, and without an option to go without one, is wrong use in one sentence", async () => {
    const { exitCode, stderr } = await run("login", server.url);
    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      "slipway: there is no terminal to ask for the password on: give --password-stdin or --token-stdin\nSee: slipway login --help\n",
    );
  });

  it.each([
    [["--password-stdin", "--token-stdin"], "give one of --password-stdin, --token-stdin and --token"],
    [["--token", "x", "--login", "admin"], "a token says whose it is: leave --login out"],
    [["--token", "two words"], "the token is empty or holds blanks or odd characters"],
    [["--name", "two words", "--password-stdin"], '--name is at most 100 characters without blanks, not "two words"'],
    [["--name", "-x", "--password-stdin"], "Option '--name' argument is ambiguous"],
  ])("with %j is wrong use", async (words, sentence) => {
    const { exitCode, stderr } = await run("login", server.url, ...words);
    expect(exitCode).toBe(2);
    expect(stderr.split("\n")[0]).toBe(`slipway: ${sentence}`);
  });

  it.each(["", "\n"])("with %j for a password is one sentence", async (text) => {
    const { exitCode, stderr } = await runCli(["login", server.url, "--password-stdin"], { env, stdin: typed(text) });
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/^slipway login: standard input does not hold the password\n$/),
    ]);
  });

  it("takes a ready token, asks the server whose it is, and keeps it", async () => {
    const stdin = typed(`${server.token}\r\n`);
    const { exitCode, stdout } = await runCli(["login", server.url, "--token-stdin"], { env, stdin });
    expect([exitCode, stdout]).toEqual([0, `logged in to local (${server.url}) as default/admin, administrator\n`]);
    expect((await readFileJson()).servers.local.token).toBe(server.token);
    expect((await run("login", server.url, "--token", server.token)).exitCode).toBe(0);
  });

  it("with a token that is not valid is one sentence, and keeps nothing", async () => {
    const { exitCode, stderr } = await run("login", server.url, "--token", "abc");
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/^slipway login: unauthenticated TOKEN_INVALID: [^\n]+\n$/),
    ]);
    await expect(stat(file)).rejects.toThrow("ENOENT");
  });

  it("uses the administrator's first password on the server's own machine, and says so", async () => {
    const folder = join(root, "data-of-one");
    await mkdir(folder);
    await writeFile(join(folder, "initial-admin-password"), `${adminPassword}\n`);
    const path = join(folder, "initial-admin-password");
    const { exitCode, stdout, stderr } = await runCli(["login", server.url], {
      env: { ...env, SLIPWAY_DATA_DIR: folder },
    });
    expect([exitCode, stderr]).toEqual([0, `using the administrator's first password, from ${path}\n`]);
    expect(stdout).toBe(`logged in to local (${server.url}) as default/admin, administrator\n`);
    await writeFile(path, "an old one\n");
    const refused = await runCli(["login", server.url], { env: { ...env, SLIPWAY_DATA_DIR: folder } });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr.split("\n")[1]).toBe(
      `slipway login: the password in ${path} is not the administrator's of ${server.url}: give --login and --password-stdin`,
    );
  });

  it("over plain HTTP to another machine is warned of", async () => {
    const words = ["login", "http://slipway.invalid:1", "--password-stdin", "--retry-for", "0"];
    const { exitCode, stderr } = await runCli(words, { env, stdin: typed("secret\n") });
    expect(exitCode).toBe(1);
    expect(stderr.split("\n")[0]).toBe(
      "warning: http://slipway.invalid:1 is not encrypted: password and token travel for everyone on the way to read",
    );
  });

  it("says when the environment goes before it", async () => {
    env.SLIPWAY_TOKEN = "x";
    expect((await logIn(server.url)).stderr).toBe("note: SLIPWAY_TOKEN is set, and goes before what is stored\n");
  });

  it("that cannot be kept leaves no token behind", async () => {
    await mkdir(env.XDG_CONFIG_HOME!, { recursive: true });
    await writeFile(join(env.XDG_CONFIG_HOME!, "slipway"), "a file, and no folder");
    const count = async () => {
      const client = openClient(other);
      const { accessTokens } = await client.access.listTokens({});
      client.close();
      return accessTokens.length;
    };
    const before = await count();
    const { exitCode, stderr } = await logIn(other.url);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^slipway login: \S+servers\.json cannot be written \(E\w+\)\n$/);
    expect(await count()).toBe(before);
  });
});

describe("several servers", () => {
  it("are listed by name, without their tokens, and the one in use is marked", async () => {
    await logIn(server.url, "--name", "first");
    await logIn(other.url, "--name", "second");
    const servers = [
      { name: "first", url: server.url, login: "default/admin", current: false },
      { name: "second", url: other.url, login: "default/admin", current: true },
    ];
    expect(await json("server", "list")).toEqual({ servers });
    const { stdout } = await run("server", "list");
    expect(stdout.split("\n").map((line) => line.split(/\s+/).slice(0, 3))).toEqual([
      ["", "NAME", "URL"],
      ["", "first", server.url],
      ["*", "second", other.url],
      [""],
    ]);
    expect((await run("server", "list", "--names")).stdout).toBe("first\nsecond\n");
  });

  it("are chosen by use, by --server, and by URL", async () => {
    await logIn(server.url, "--name", "first");
    await logIn(other.url, "--name", "second");
    expect((await json("whoami")).server).toEqual({ name: "second", url: other.url });
    expect((await run("server", "use", "first")).stdout).toBe(
      `commands talk to first (${server.url}) as default/admin\n`,
    );
    expect((await json("whoami")).server).toEqual({ name: "first", url: server.url });
    expect((await json("whoami", "--server", "second")).server).toEqual({ name: "second", url: other.url });
    expect((await json("whoami", "--url", other.url)).server).toEqual({ name: "second", url: other.url });
  });

  it("keep their names when somebody logs in again, by URL or by name", async () => {
    await logIn(server.url, "--name", "first");
    await logIn(other.url, "--name", "second");
    expect((await logIn(server.url)).stdout).toMatch(/^logged in to first /);
    const again = ["login", "--name", "second", "--password-stdin"];
    const { stdout } = await runCli(again, { env, stdin: typed(adminPassword) });
    expect(stdout).toMatch(`logged in to second (${other.url})`);
    const { exitCode, stderr } = await logIn(server.url, "--name", "second");
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`second is ${other.url}: take another --name, or run: slipway server remove second\n`);
  });

  it("get a name of their own where none is given", async () => {
    await logIn(server.url);
    await logIn(other.url);
    expect((await run("server", "list", "--names")).stdout).toBe(`${new URL(other.url).host}\nlocal\n`);
  });

  it("say, when the one in use is forgotten, which others there are to choose from", async () => {
    for (const words of [["logout"], ["server", "remove", "third"]]) {
      for (const name of ["first", "second", "third"]) await logIn(server.url, "--name", name);
      expect((await run(...words)).stderr).toBe(
        "no server is in use now; choose one with `slipway server use NAME`: first, second\n",
      );
      expect((await run("server", "use", "first")).exitCode).toBe(0);
      expect((await run("logout", "second", "--json")).stderr).toBe("");
    }
  });

  it("are forgotten by remove, and commands then say that none is in use", async () => {
    await logIn(server.url, "--name", "first");
    expect((await run("server", "remove", "first")).stdout).toBe(`first (${server.url}) is forgotten\n`);
    expect(await readFileJson()).toEqual({ servers: {} });
    expect((await run("server", "list")).stderr).toBe("you have not logged in to a server\n");
  });

  it.each([
    [["server", "use", "none"]],
    [["server", "remove", "none"]],
    [["ls", "--server", "none"]],
    [["logout", "none"]],
  ])("%j names what is known", async (words) => {
    await logIn(server.url, "--name", "first");
    const { exitCode, stderr } = await run(...words);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('there is no server "none"; known: first\n');
  });
});

describe("logging out", () => {
  it("ends the token on the server, and forgets the login", async () => {
    await logIn(server.url);
    const { token } = (await readFileJson()).servers.local;
    const { exitCode, stdout } = await run("logout");
    expect([exitCode, stdout]).toEqual([0, `logged out of local (${server.url})\n`]);
    expect(await readFileJson()).toEqual({ servers: {} });
    const { stderr } = await run("ls", "--url", server.url, "--token", token);
    expect(stderr).toContain("TOKEN_INVALID");
    expect((await run("logout")).stderr).toBe("slipway logout: you are not logged in to a server\n");
  });

  it("of a token that has ended is done, too", async () => {
    await logIn(server.url);
    await run("logout");
    await logIn(server.url);
    const { token } = (await readFileJson()).servers.local;
    await run("login", server.url, "--token", token, "--name", "twin");
    expect((await run("logout", "local")).exitCode).toBe(0);
    const { exitCode, stdout } = await run("logout", "twin", "--json");
    expect([exitCode, JSON.parse(stdout)]).toEqual([0, { server: "twin", url: server.url, tokenEnded: true }]);
  });

  it("while the server is away forgets the login only by force", async () => {
    const gone = await startServer();
    await logIn(gone.url);
    await gone.kill();
    const refused = await run("logout", "--retry-for", "0");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/; with --force the login is forgotten all the same\n$/);
    expect((await readFileJson()).current).toBe("local");
    const forced = await run("logout", "--force", "--retry-for", "0");
    expect([forced.exitCode, forced.stdout]).toEqual([0, `logged out of local (${gone.url})\n`]);
    expect(forced.stderr).toMatch(/^the token is forgotten, but did not end: /);
    expect(await readFileJson()).toEqual({ servers: {} });
  });
});

describe("credentials that the server does not take", () => {
  const ended = "abcdefghijklmnopqrstuvwxyz";

  it("of a login end the sentence with what to do", async () => {
    await logIn(server.url);
    const { token } = (await readFileJson()).servers.local;
    const client = openClient({ url: server.url, token });
    await client.access.logout({});
    client.close();
    for (const words of [
      ["ls"],
      ["upload", file],
      ["tenant", "list"],
      ["download", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"],
    ]) {
      const { exitCode, stderr } = await run(...words);
      expect([exitCode, stderr]).toEqual([
        1,
        expect.stringMatching(/^slipway [^\n]*unauthenticated TOKEN_INVALID: [^\n]+; run: slipway login http\S+\n$/),
      ]);
      expect(stderr).toContain(`run: slipway login ${server.url}\n`);
    }
  });

  it("of --token, of the environment and of the data folder do so in their own way", async () => {
    const byOption = await run("ls", "--url", server.url, "--token", ended);
    expect(byOption.stderr).toMatch(`; give another --token, or run: slipway login ${server.url}\n`);
    const byEnvironment = await runCli(["ls", "--url", server.url], { env: { ...env, SLIPWAY_TOKEN: ended } });
    expect(byEnvironment.stderr).toMatch(
      `; set SLIPWAY_TOKEN to another one, or unset it and run: slipway login ${server.url}\n`,
    );
    const folder = join(root, "data-of-another");
    await mkdir(folder);
    await writeFile(join(folder, "initial-admin-password"), "not this one\n");
    const byFile = await runCli(["ls", "--url", server.url], { env: { ...env, SLIPWAY_DATA_DIR: folder } });
    expect(byFile.stderr).toMatch(`; run: slipway login ${server.url}\n`);
  });
});

describe("the file of the logins", () => {
  it("keeps all servers when many log in at the same time", async () => {
    const names = Array.from({ length: 8 }, (_, i) => `server-${i}`);
    const runs = await Promise.all(
      names.map((name) => run("login", server.url, "--token", server.token, "--name", name)),
    );
    expect(runs.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(names.map(() => [0, ""]));
    expect((await run("server", "list", "--names")).stdout.split("\n").slice(0, -1).sort()).toEqual([...names].sort());
  });

  it("outlives a process that was killed while it changed it", async () => {
    await logIn(server.url, "--name", "first");
    const lock = `${file}.lock`;
    await writeFile(lock, "of nobody");
    await utimes(lock, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
    expect((await logIn(other.url, "--name", "second")).exitCode).toBe(0);
    expect((await run("server", "list", "--names")).stdout).toBe("first\nsecond\n");
    await expect(stat(lock)).rejects.toThrow("ENOENT");
  });

  it("that others may read is refused, and said how to mend", async () => {
    await logIn(server.url);
    await chmod(file, 0o640);
    for (const words of [["ls"], ["server", "list"], ["login", server.url, "--token", server.token]]) {
      const { exitCode, stderr } = await run(...words);
      expect(exitCode).toBe(1);
      expect(stderr).toBe(
        `slipway ${words[0] === "server" ? "server list" : words[0]}: ${file} holds tokens, and others may read it: chmod 600 it, and log in again if others may have read it\n`,
      );
    }
  });

  it("that is a symbolic link is refused", async () => {
    await logIn(server.url);
    const elsewhere = join(env.XDG_CONFIG_HOME!, "elsewhere.json");
    await writeFile(elsewhere, await readFile(file), { mode: 0o600 });
    env = { ...env, XDG_CONFIG_HOME: join(env.XDG_CONFIG_HOME!, "linked") };
    await mkdir(join(env.XDG_CONFIG_HOME!, "slipway"), { recursive: true });
    const link = join(env.XDG_CONFIG_HOME!, "slipway", "servers.json");
    await symlink(elsewhere, link);
    const { exitCode, stderr } = await run("ls");
    expect([exitCode, stderr]).toEqual([
      1,
      `slipway ls: ${link} is a symbolic link, and tokens are kept in a plain file only: remove it\n`,
    ]);
  });

  it("that is not what it was written as is refused", async () => {
    await logIn(server.url);
    await writeFile(file, '{"servers":{"a":{}}}');
    const { exitCode, stderr } = await run("ls");
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `slipway ls: ${file} does not hold what \`slipway login\` writes; remove it and log in again\n`,
    );
  });

  it("has no place where there is no home", async () => {
    const { exitCode, stderr } = await runCli(["login", server.url, "--token", server.token], { env: {} });
    expect([exitCode, stderr]).toEqual([1, "slipway login: there is no place for a login: HOME is not set\n"]);
  });
});
