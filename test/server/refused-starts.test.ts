// What a person reads who has set something wrong, or whose machine is not as the settings have it: one sentence.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { makeCertificate, writeCertificate } from "../support/certificate.js";
import { copyEmbeddedTemplate } from "../support/embedded-template.js";
import { openTestSchema, postgresAvailable } from "../support/postgres.js";
import { makeDataDir, spawnServer, startServer } from "../support/server.js";

const tooLongMs = 60_000;
const bin = fileURLToPath(new URL("../../src/cli/slipway.cjs", import.meta.url));

/** Everything that a start says which is to fail. */
async function start(flags: readonly string[], listen = "127.0.0.1:0") {
  const child = spawnServer([...(listen === "" ? [] : ["--listen", listen]), ...flags]);
  const timer = setTimeout(() => void child.kill(), tooLongMs);
  const code = await child.exited;
  clearTimeout(timer);
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}

/** One line, one sentence, and nothing on standard output; answers the sentence. */
function sentenceOf(run: Awaited<ReturnType<typeof start>>, code: number): string {
  const told = run.stderr.split("\n").filter((line) => !line.includes('"level":30') && line !== "");
  expect(told).toHaveLength(1);
  expect(run.stderr).not.toMatch(/\bat .*:\d+:\d+/);
  expect([run.code, run.stdout]).toEqual([code, ""]);
  expect(told[0]).toMatch(/^slipway: /);
  return told[0]!.slice("slipway: ".length);
}

describe("a port that cannot be had ends the start with exit code 1 and one sentence that names SLIPWAY_LISTEN", () => {
  it("for a port that is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const place = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const sentence = sentenceOf(await start(["--data-dir", await copyEmbeddedTemplate()], place), 1);
    other.close();
    const why = `${place} is taken by another program (EADDRINUSE)`;
    expect(sentence).toBe(`SLIPWAY_LISTEN must be a free address and port of this machine; ${why}`);
  });

  it("for an address of another machine", async () => {
    const sentence = sentenceOf(await start(["--data-dir", await copyEmbeddedTemplate()], "192.0.2.1:8080"), 1);
    expect(sentence).toMatch(/^SLIPWAY_LISTEN must be .*; 192\.0\.2\.1:8080 is not an address of this machine/);
  });

  it("for a host that nobody knows", async () => {
    const sentence = sentenceOf(await start(["--data-dir", await copyEmbeddedTemplate()], "nowhere.invalid:8080"), 1);
    expect(sentence).toMatch(
      /^SLIPWAY_LISTEN must be .*; nowhere\.invalid:8080 (is not a known host|cannot be looked)/,
    );
  });
});

describe("a data folder that cannot be had ends the start with one sentence that names SLIPWAY_DATA_DIR and the path", () => {
  it.each(["file", "file/below"])("and exit code 2 for %s, which is no folder", async (name) => {
    const folder = await makeDataDir();
    await writeFile(join(folder, "file"), "");
    const path = join(folder, name);
    const sentence = sentenceOf(await start(["--data-dir", path]), 2);
    expect(sentence).toMatch(/^SLIPWAY_DATA_DIR must be a folder that the server may write to; /);
    expect(sentence).toContain(`${path} is a file, or lies in one`);
  });

  // Not even by root.
  it.each([
    ["/sys/slipway", /\/sys\/slipway cannot be used: .* \((EPERM|EACCES|EROFS)\)$/],
    ["/proc/slipway", /\/proc\/slipway cannot be used: it cannot be made there \(ENOENT\)$/],
    ["/proc/slipway/below", /\/proc\/slipway\/below cannot be used: it cannot be made there \(ENOENT\)$/],
  ])("and exit code 1 for %s, which cannot be made", async (path, words) => {
    const sentence = sentenceOf(await start(["--data-dir", path]), 1);
    expect(sentence).toMatch(/^SLIPWAY_DATA_DIR must be a folder that the server may write to; /);
    expect(sentence).toMatch(words);
  });

  it.skipIf(process.getuid?.() === 0)("and exit code 1 for one that may not be written to", async () => {
    const folder = await makeDataDir();
    await chmod(folder, 0o500);
    const sentence = sentenceOf(await start(["--data-dir", folder]), 1);
    expect(sentence).toMatch(/^SLIPWAY_DATA_DIR must be .* cannot be used: permission was denied \(EACCES\)$/);
  });

  // A file system of a size, seen by one process alone; needs the right to mount.
  const mount = `mount -t tmpfs -o size="$1" tmpfs "$2"; shift 2; exec "$@"`;
  const canMount = spawnSync("unshare", ["--mount", "sh", "-ec", mount, "sh", "1m", "/mnt", "true"]).status === 0;
  it.runIf(canMount).each(["4k", "8m"])("and exit code 1 for a disk of %s, which is full", async (size) => {
    const folder = await makeDataDir();
    const command = [process.execPath, bin, "serve", "--listen", "127.0.0.1:0", "--data-dir", folder];
    const { status, stdout, stderr } = spawnSync(
      "unshare",
      ["--mount", "sh", "-ec", mount, "sh", size, folder, ...command],
      {
        encoding: "utf8",
        timeout: tooLongMs,
        // Whatever the tests themselves are told by such names is none of the server's settings.
        env: { PATH: process.env.PATH },
      },
    );
    const sentence = sentenceOf({ code: status, stdout, stderr }, 1);
    expect(sentence).toContain(folder);
    expect(sentence).toMatch(/no space/);
  });
});

describe("TLS files that cannot be used end the start with exit code 2 and one sentence that names the setting and the file", () => {
  it("for one that is missing, one that is no certificate, and one that belongs to another", async () => {
    const own = await writeCertificate(makeCertificate());
    const other = await writeCertificate(makeCertificate());
    const dataDir = await makeDataDir();
    const none = join(dataDir, "none.pem");
    const run = async (cert: string, key: string) =>
      sentenceOf(await start(["--data-dir", dataDir, "--tls-cert", cert, "--tls-key", key]), 2);
    expect(await run(none, own.keyFile)).toMatch(/^SLIPWAY_TLS_CERT must be .*none\.pem cannot be \(ENOENT\)$/);
    expect(await run(own.certFile, dataDir)).toMatch(/^SLIPWAY_TLS_KEY must be .* cannot be \(EISDIR\)$/);
    expect(await run(own.keyFile, own.keyFile)).toMatch(/^SLIPWAY_TLS_CERT must be a certificate/);
    const mixed = await run(own.certFile, other.keyFile);
    expect(mixed).toMatch(/^SLIPWAY_TLS_KEY must be the key of the certificate in SLIPWAY_TLS_CERT/);
    expect(mixed).toContain(other.keyFile);
  });
});

describe("a folder whose own files are wrong ends the start with exit code 1 and one sentence that names the file", () => {
  it.each(["store-id", "capability-key", "initial-admin-password"])("for %s", async (name) => {
    const dataDir = await copyEmbeddedTemplate();
    await writeFile(join(dataDir, name), "no\n");
    expect(sentenceOf(await start(["--data-dir", dataDir]), 1)).toContain(join(dataDir, name));
  });

  it("for a folder that another server holds, after it was waited for", async () => {
    const server = await startServer();
    const link = join(await mkdtemp(join(inject("runFolder"), "link-")), "data");
    await symlink(server.dataDir, link);
    const sentence = sentenceOf(await start(["--data-dir", link]), 1);
    await server.kill();
    expect(sentence).toContain(`${link} is in use by another server`);
  });

  it("for the folder of a database of another data folder", async () => {
    const first = await startServer();
    await first.stop();
    const dataDir = await makeDataDir();
    await cp(join(first.dataDir, "database"), join(dataDir, "database"), { recursive: true });
    expect(sentenceOf(await start(["--data-dir", dataDir]), 1)).toMatch(
      /^the database belongs to the data folder with/,
    );
  });
});

describe.runIf(postgresAvailable())("a PostgreSQL that does not let the server in", () => {
  let schema: Awaited<ReturnType<typeof openTestSchema>>;
  let url: URL;
  const role = `slipway_test_${crypto.randomUUID().slice(0, 8)}`;

  async function run(sql: string): Promise<void> {
    const client = new pg.Client({ connectionString: schema.url });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  }
  beforeAll(async () => {
    schema = await openTestSchema();
    url = new URL(schema.url);
    await run(`create role ${role} login`);
  });
  afterAll(async () => {
    await run(`drop owned by ${role}; drop role ${role}`);
    await schema.drop();
  });
  const refuse = async (change: (url: URL) => void, code = 2) => {
    const wrong = new URL(url);
    change(wrong);
    return sentenceOf(await start(["--data-dir", await makeDataDir(), "--database-url", wrong.href]), code);
  };
  const wayIn = "DATABASE_URL must be the address of a database with a user and password that it lets in; it says: ";

  it("for want of the database, the user, or the right to make tables, ends the start with exit code 2 and one sentence that names DATABASE_URL", async () => {
    expect(await refuse((wrong) => (wrong.pathname = "/no_such"))).toBe(`${wayIn}database "no_such" does not exist`);
    expect(await refuse((wrong) => (wrong.username = "nobody"))).toBe(`${wayIn}role "nobody" does not exist`);
    expect(await refuse((wrong) => (wrong.username = role))).toMatch(/permission denied for schema public$/);
  });

  it("because it is too old ends the start with exit code 2 and one sentence that says how new it must be", async () => {
    // It looks older than it is to this user alone.
    await run(`
      create schema antique; grant usage on schema antique to ${role}; grant create on schema public to ${role};
      create function antique.current_setting(text) returns text language sql as
        $$ select case $1 when 'server_version_num' then '140011' else '14.11' end $$;
      alter role ${role} set search_path = antique, pg_catalog, public`);
    expect(await refuse((wrong) => (wrong.username = role))).toBe(
      "DATABASE_URL must be the address of a PostgreSQL 15 or newer, and this one is 14.11",
    );
  });

  it("because a newer version has been at it ends the start with exit code 1 and names what it does not know", async () => {
    const dataDir = await makeDataDir();
    await (await startServer({ dataDir, databaseUrl: url.href })).stop();
    await run(`insert into knex_migrations (name, batch, migration_time) values ('9999-of-tomorrow', 9, now())`);
    const sentence = sentenceOf(await start(["--data-dir", dataDir, "--database-url", url.href]), 1);
    expect(sentence).toMatch(/newer version of slipway \(9999-of-tomorrow\)/);
  });
});

describe("a password that PostgreSQL refuses", () => {
  it("ends the start with exit code 2 and one sentence that names DATABASE_URL and not the password", async () => {
    // As a server that wants one answers: AuthenticationCleartextPassword, then an error.
    const fields = ["SFATAL", "VFATAL", "C28P01", 'Mpassword authentication failed for user "me"', "", ""].join("\0");
    const message = (type: string, body: Buffer) => {
      const head = Buffer.from(`${type}....`, "latin1");
      head.writeInt32BE(body.length + 4, 1);
      return Buffer.concat([head, body]);
    };
    const postgres = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => {
        socket.write(message("R", Buffer.from([0, 0, 0, 3])));
        socket.once("data", () => socket.end(message("E", Buffer.from(fields, "latin1"))));
      });
    }).listen(0, "127.0.0.1");
    await once(postgres, "listening");
    const url = `postgres://me:secret-word@127.0.0.1:${(postgres.address() as AddressInfo).port}/slipway`;
    const run = await start(["--data-dir", await makeDataDir(), "--database-url", url]);
    postgres.close();
    expect(sentenceOf(run, 2)).toMatch(
      /^DATABASE_URL must be .*; it says: password authentication failed for user "me"$/,
    );
    expect(run.stderr).not.toContain("secret-word");
  });
});

describe("what is merely away", () => {
  it("is waited for, also where something else answers at the address of the database", async () => {
    const other = createServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(0, "127.0.0.1");
    await once(other, "listening");
    const databaseUrl = `postgres://127.0.0.1:${(other.address() as AddressInfo).port}/slipway`;
    const server = await startServer({ databaseUrl, until: "listening" });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    expect(server.stderr()).toContain("the database cannot be reached");
    expect(await server.stop()).toBe(0);
    other.close();
  });
});

describe("a word or name that is no setting ends the start with exit code 2 and one sentence that names it", () => {
  it("as a flag, and as a variable", async () => {
    expect(sentenceOf(await start(["--lisen", "x"]), 2)).toMatch(/^SLIPWAY_LISEN is not a setting/);
    const child = spawnServer([], { SLIPWAY_LISEN: "x" });
    const run = { code: await child.exited, stdout: child.stdout(), stderr: child.stderr() };
    expect(sentenceOf(run, 2)).toMatch(/^SLIPWAY_LISEN is not a setting/);
  });
});
