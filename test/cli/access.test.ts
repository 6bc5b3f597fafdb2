import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminPassword, logIn, startServer, type TestServer } from "../support/server.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { runCli } from "./run-cli.js";
import { typed } from "./typed.js";

const unknownId = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/);

let folder: string;
let server: TestServer;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await makeTempDir();
  server = await startServer();
  env = { XDG_CONFIG_HOME: folder, SLIPWAY_URL: server.url, SLIPWAY_TOKEN: server.token };
});

afterAll(async () => {
  await server?.kill();
  await removeTempDir(folder);
});

const run = (...words: string[]) => runCli(words, { env });
const runWith = (stdin: string, ...words: string[]) => runCli(words, { env, stdin: typed(stdin) });

async function json(...words: string[]) {
  const { exitCode, stdout, stderr } = await run(...words, "--json");
  expect([exitCode, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
}

describe("tenants", () => {
  it("are created, listed and deleted by name or by id", async () => {
    const { tenant } = await json("tenant", "create", "acme");
    expect(tenant).toEqual({ id: uuid, name: "acme", createdAt: time });
    const { tenants } = await json("tenant", "list");
    expect(tenants.map(({ name }: { name: string }) => name)).toEqual(["acme", "default"]);
    expect((await run("tenant", "list")).stdout).toMatch(
      /^TENANT +CREATED +NAME\n\S+ +\S+Z +acme\n\S+ +\S+Z +default\n$/,
    );
    expect((await run("tenant", "delete", "acme", "--yes")).stdout).toBe("tenant acme is deleted\n");
    const again = await json("tenant", "create", "acme");
    expect(await json("tenant", "delete", again.tenant.id, "--yes")).toEqual({
      id: again.tenant.id,
      name: "acme",
      deleted: true,
    });
  });

  it("that are not there, or that are taken, are one sentence", async () => {
    for (const word of ["nowhere", unknownId]) {
      const { exitCode, stderr } = await run("tenant", "delete", word, "--yes");
      expect([exitCode, stderr]).toEqual([1, `slipway tenant delete: there is no tenant "${word}"\n`]);
    }
    const { exitCode, stderr } = await run("tenant", "create", "default");
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/^slipway tenant create: already_exists NAME_TAKEN: [^\n]+\n$/),
    ]);
    expect((await run("tenant", "delete", "default", "--yes")).stderr).toMatch(/TENANT_IN_USE: [^\n]+\n$/);
  });
});

describe("users", () => {
  it("are created with a password from standard input, and log in with it", async () => {
    await run("tenant", "create", "beta");
    const made = await runWith(
      "a secret of alice\n",
      "user",
      "create",
      "beta/alice",
      "--role",
      "uploader",
      "--password-stdin",
    );
    expect(made).toMatchObject({ exitCode: 0, stderr: "" });
    expect(made.stdout).toMatch(/^created user beta\/alice, uploader \([0-9a-f-]{36}\)\n$/);
    expect((await logIn(server.url, { login: "beta/alice", password: "a secret of alice" })).status).toBe(200);
    const { user } = await json("user", "show", "beta/alice");
    expect(user).toEqual({
      id: uuid,
      login: "beta/alice",
      name: "alice",
      tenant: "beta",
      tenantId: uuid,
      role: "uploader",
      createdAt: time,
      updatedAt: time,
    });
    for (const words of [[user.id], ["alice", "--tenant", "beta"], ["alice", "--tenant", user.tenantId]]) {
      expect((await json("user", "show", ...words)).user).toEqual(user);
    }
    expect((await run("user", "show", "beta/alice")).stdout).toMatch(
      /^login +beta\/alice\nrole +uploader\nid +\S+\ncreated +\S+Z\nchanged +\S+Z\n$/,
    );
  });

  it("without a password cannot log in, and act by tokens", async () => {
    expect((await run("user", "create", "robot", "--role", "reader", "--no-password")).exitCode).toBe(0);
    const { exitCode, stdout, stderr } = await run(
      "token",
      "create",
      "--user",
      "robot",
      "--ttl",
      "90d",
      "--idle-ttl",
      "1h",
    );
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^[\w-]{40,}\n$/);
    expect(stderr).toMatch(
      /^token [0-9a-f-]{36} of default\/robot ends \S+Z unless it is used before, in any case at \S+Z\n$/,
    );
    const short = await run("token", "create", "--user", "robot", "--ttl", "1h");
    expect(short.stderr).toMatch(/^token [0-9a-f-]{36} of default\/robot ends \S+Z\n$/);
    const as = { ...env, SLIPWAY_TOKEN: stdout.trim() };
    const { user, token } = JSON.parse((await runCli(["whoami", "--json"], { env: as })).stdout);
    expect([user.login, user.role]).toEqual(["default/robot", "reader"]);
    expect(Date.parse(token.endsAt) - Date.parse(token.createdAt)).toBe(90 * 86_400_000);
    expect(Date.parse(token.expiresAt) - Date.parse(token.createdAt)).toBe(3_600_000);
    // Everyone finds themselves; others are for administrators.
    expect((await runCli(["user", "show", "robot"], { env: as })).exitCode).toBe(0);
    expect((await runCli(["token", "list", "--user", "default/robot"], { env: as })).exitCode).toBe(0);
    const { exitCode: refused, stderr: why } = await runCli(["user", "show", "admin"], { env: as });
    expect([refused, why]).toEqual([
      1,
      expect.stringMatching(/^slipway user show: permission_denied PERMISSION_MISSING: /),
    ]);
  });

  it("are listed by tenant", async () => {
    expect((await json("user", "list")).users).toContainEqual(expect.objectContaining({ login: "default/admin" }));
    expect((await json("user", "list", "--tenant", "beta")).users).toEqual([
      expect.objectContaining({ login: "beta/alice", role: "uploader" }),
    ]);
    expect((await run("user", "list", "--tenant", "beta")).stdout).toMatch(
      /^USER +ROLE +CREATED +LOGIN\n\S+ +uploader +\S+Z +beta\/alice\n$/,
    );
  });

  it("are given another role, and another password, by an administrator", async () => {
    await runWith("a secret of bob\n", "user", "create", "bob", "--role", "reader", "--password-stdin");
    expect((await run("user", "update", "bob", "--role", "uploader")).stdout).toMatch(
      /^changed user default\/bob, uploader \(/,
    );
    expect((await runWith("the second one\n", "user", "update", "bob", "--password-stdin")).exitCode).toBe(0);
    expect((await logIn(server.url, { login: "bob", password: "the second one" })).status).toBe(200);
    expect((await runWith("the third one\n", "user", "passwd", "bob", "--password-stdin")).stdout).toBe(
      "the password of default/bob is changed\n",
    );
    expect((await logIn(server.url, { login: "bob", password: "the second one" })).status).toBe(401);
    expect((await logIn(server.url, { login: "bob", password: "the third one" })).status).toBe(200);
  });

  it("change their own password with the present one, and keep the token that they do it with", async () => {
    await runWith("a secret of carol\n", "user", "create", "carol", "--role", "uploader", "--password-stdin");
    const { token } = await logIn(server.url, { login: "carol", password: "a secret of carol" });
    const as = { ...env, SLIPWAY_TOKEN: token };
    const passwd = (text: string) => runCli(["user", "passwd", "--password-stdin"], { env: as, stdin: typed(text) });
    expect((await passwd("wrong\nthe second one\n")).stderr).toMatch(
      /^slipway user passwd: unauthenticated LOGIN_FAILED: [^\n;]+\n$/,
    );
    expect((await passwd("a secret of carol\n")).stderr).toBe(
      "slipway user passwd: standard input does not hold the new password\n",
    );
    expect((await passwd("a secret of carol\nthe second one\n")).stdout).toBe(
      "the password of default/carol is changed\n",
    );
    expect((await runCli(["whoami"], { env: as })).exitCode).toBe(0);
    expect((await logIn(server.url, { login: "carol", password: "the second one" })).status).toBe(200);
  });

  it("are deleted, and what cannot be is one sentence", async () => {
    await run("user", "create", "dave", "--role", "reader", "--no-password");
    expect((await run("user", "delete", "dave", "--yes")).stdout).toBe("user default/dave is deleted\n");
    const gone = await run("user", "delete", "dave", "--yes");
    expect([gone.exitCode, gone.stderr]).toEqual([1, 'slipway user delete: the tenant "default" has no user "dave"\n']);
    expect((await run("user", "delete", "admin", "--yes")).stderr).toMatch(/LAST_ADMINISTRATOR: [^\n]+\n$/);
    expect((await run("user", "show", unknownId)).stderr).toContain(`has no user "${unknownId}"\n`);
    const short = await runWith("short\n", "user", "create", "eve", "--role", "reader", "--password-stdin");
    expect([short.exitCode, short.stderr]).toEqual([1, expect.stringMatching(/PASSWORD_INVALID: [^\n]+\n$/)]);
  });

  it.each([
    [["user", "create", "x", "--no-password"], "say what the user may do: --role reader, uploader or admin"],
    [["user", "create", "x", "--role", "king"], '--role is reader, uploader or admin, not "king"'],
    [
      ["user", "create", "x", "--role", "reader"],
      "there is no terminal to ask for the password on: give --password-stdin",
    ],
    [
      ["user", "create", "x", "--role", "reader", "--no-password", "--password-stdin"],
      "give --no-password or --password-stdin",
    ],
    [
      ["user", "create", "beta/x", "--tenant", "default", "--role", "reader", "--no-password"],
      'give --tenant, or the tenant in "beta/x", not both',
    ],
    [["user", "create", "/x", "--role", "reader", "--no-password"], 'a user is NAME, TENANT/NAME or an id, not "/x"'],
    [["user", "update", "admin"], "give --role or --password-stdin"],
    [["user", "passwd"], "there is no terminal to ask for the password on: give --password-stdin"],
    [["user", "delete", "admin"], "there is nobody to ask here: say --yes"],
    [["tenant", "delete", "default"], "there is nobody to ask here: say --yes"],
    [["token", "create", "--ttl", "soon"], '--ttl is a time such as 90s or 10m, not "soon"'],
    [["token", "create", "--audience", "soap"], '--audience is rpc, imis, vsphere, folio or perkeep, not "soap"'],
  ])("%j is wrong use, and asks nobody", async (words, sentence) => {
    const { exitCode, stdout, stderr } = await runCli(words, { env: { ...env, SLIPWAY_URL: "http://127.0.0.1:1" } });
    expect([exitCode, stdout, stderr.split("\n")[0]]).toEqual([2, "", `slipway: ${sentence}`]);
  });
});

describe("tokens", () => {
  it("are made, listed without themselves, and revoked", async () => {
    const made = await json("token", "create", "--label", "nightly \u{1f319}", "--audience", "folio");
    expect(made).toEqual({
      token: expect.stringMatching(/^\S{40,}$/),
      accessToken: {
        id: uuid,
        userId: uuid,
        audience: "folio",
        label: "nightly \u{1f319}",
        createdAt: time,
        lastUsedAt: time,
        expiresAt: time,
      },
    });
    const { tokens } = await json("token", "list");
    expect(tokens).toContainEqual(expect.objectContaining({ id: made.accessToken.id, audience: "folio" }));
    expect((await run("token", "list")).stdout).not.toContain(made.token);
    const { id } = made.accessToken;
    expect((await run("token", "revoke", id)).stdout).toBe(`token ${id} is revoked\n`);
    expect((await json("token", "list")).tokens).not.toContainEqual(expect.objectContaining({ id }));
    expect((await run("token", "revoke", id)).stderr).toMatch(/^slipway token revoke: not_found TOKEN_NOT_FOUND: /);
  });

  it("with a time to live that the server does not take are one sentence", async () => {
    const { exitCode, stderr } = await run("token", "create", "--ttl", "20000d");
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/DURATION_INVALID: [^\n]+\n$/)]);
  });
});

it("who goes by a password is told that no token ends", async () => {
  const { mkdir, writeFile } = await import("node:fs/promises");
  const data = `${folder}/data`;
  await mkdir(data);
  await writeFile(`${data}/initial-admin-password`, adminPassword);
  const byPassword = { XDG_CONFIG_HOME: folder, SLIPWAY_URL: server.url, SLIPWAY_DATA_DIR: data };
  expect((await runCli(["whoami"], { env: byPassword })).stdout).toMatch(/\ntoken +none: a password was given\n$/);
});

it("what the server takes is told in words, and in numbers with --json", async () => {
  const { exitCode, stdout, stderr } = await run("server", "limits");
  expect([exitCode, stderr]).toEqual([0, ""]);
  expect(stdout.replaceAll(/ {2,}/g, ": ").split("\n")).toEqual([
    "file: 16 TiB (17592186044416 bytes)",
    "part with a checksum: 64 MiB (67108864 bytes)",
    "message: 4 MiB (4194304 bytes)",
    "blob: 16 MiB (16777216 bytes)",
    "attributes: 64 KiB (65536 bytes)",
    "files of a session: 100000",
    "blobs of a stream: 10000",
    "refs of a call: 1000",
    "session without activity: 1d",
    "session in any case: 7d",
    "ended session: 1d",
    "",
  ]);
  expect(await json("server", "limits")).toEqual({
    limits: {
      maxFileBytes: 2 ** 44,
      maxPartBytes: 2 ** 26,
      maxMessageBytes: 2 ** 22,
      maxSessionFiles: 100_000,
      maxBlobBytes: 2 ** 24,
      maxStreamBlobs: 10_000,
      maxBlobRefs: 1000,
      maxAttributesBytes: 65_536,
      sessionIdleTtlMs: 86_400_000,
      sessionAbsoluteTtlMs: 7 * 86_400_000,
      sessionKeepMs: 86_400_000,
    },
  });
});
