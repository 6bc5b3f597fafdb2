import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectDatabase, type Database } from "../../../src/storage/postgres/connect.js";
import { startEmbeddedServer } from "../../../src/storage/postgres/embedded/server.js";
import { toUploadError } from "../../../src/storage/postgres/errors.js";
import { copyEmbeddedTemplate } from "../../support/embedded-template.js";

const inserter = fileURLToPath(new URL("../../support/insert-until-killed.ts", import.meta.url));

function open(dataDir: string): Promise<Database> {
  return connectDatabase({ dataDir, poolSize: 4, durability: "fsync" });
}

function insertUntilKilled(dataDir: string) {
  const args = ["--import", "tsx", inserter, dataDir];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

describe("an embedded database", () => {
  let dataDir: string;
  let database: Database;
  beforeAll(async () => {
    dataDir = await copyEmbeddedTemplate();
    database = await open(dataDir);
  });
  afterAll(() => database.close());

  test("leaves the main thread free while it works", async () => {
    const { knex } = database;
    await knex.raw("create table bulk (n int8, text text)");
    let worstMs = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      worstMs = Math.max(worstMs, performance.now() - last);
      last = performance.now();
    }, 5);
    await knex.raw("insert into bulk select n, repeat('x', 300) from generate_series(1, 10000) n");
    await knex.raw("select pg_sleep(0.5)");
    clearInterval(timer);
    expect(worstMs).toBeLessThan(100);
  });

  test("works again after its pool was emptied and filled", async () => {
    const { knex } = database;
    for (let round = 0; round < 3; round += 1) {
      await knex.destroy();
      knex.initialize();
      expect((await knex.raw("select 1 as one")).rows).toEqual([{ one: 1 }]);
    }
  });

  test("runs transactions that begin together one after the other", async () => {
    const { knex } = database;
    await knex.raw("create table counter as select 0 as n");
    const add = () =>
      knex.transaction(async (trx) => {
        const row = await trx("counter").first();
        await trx("counter").update({ n: row.n + 1 });
      });
    await Promise.all(Array.from({ length: 20 }, add));
    expect(await knex("counter")).toEqual([{ n: 20 }]);
  });
});

describe("a connection to an embedded database", () => {
  test("that goes away is rolled back and leaves no session state to the next", async () => {
    const dataDir = await copyEmbeddedTemplate();
    const settings = { folder: join(dataDir, "database"), durability: "fsync" } as const;
    const server = await startEmbeddedServer(settings, () => undefined);
    const connect = async () => {
      const config = { user: "postgres", database: "postgres", stream: () => server.connect() };
      const client = new pg.Client(config as pg.ClientConfig);
      client.on("error", () => undefined);
      await client.connect();
      return client;
    };
    const first = await connect();
    await first.query("create table rows (n int)");
    const departures = [
      (client: pg.Client) => client.end(),
      async (client: pg.Client) =>
        void (client as unknown as { connection: pg.Connection }).connection.stream.destroy(),
      async () => undefined,
    ];
    for (const depart of departures) {
      const client = await connect();
      await client.query("set application_name = 'left'");
      await client.query("select pg_advisory_lock(1)");
      await client.query("begin");
      await client.query("insert into rows values (1)");
      await depart(client);
      const next = await connect();
      expect((await next.query("select count(*)::int as n from rows")).rows).toEqual([{ n: 0 }]);
      expect((await next.query("select count(*)::int as n from pg_locks where locktype = 'advisory'")).rows).toEqual([
        { n: 0 },
      ]);
      expect((await next.query("show application_name")).rows).not.toEqual([{ application_name: "left" }]);
      await next.end();
    }
    await server.close();
  });

  test("fails with a clear error, now and later, once the database has broken down", async () => {
    const dataDir = await copyEmbeddedTemplate();
    const notices: string[] = [];
    const onNotice = (line: string) => void notices.push(line);
    const database = await connectDatabase({ dataDir, poolSize: 1, durability: "fsync", onNotice });
    await database.knex.raw("create table t (n int)");
    // With its log taken away, PostgreSQL panics when it wants the next segment.
    await rename(join(dataDir, "database", "pg_wal"), join(dataDir, "pg_wal"));
    const asked = performance.now();
    const insert = database.knex.raw("insert into t select n from generate_series(1, 1000000) n");
    expect(await insert.then(undefined, toUploadError)).toMatchObject({ code: "unavailable" });
    const later: unknown = await database.knex.raw("select 1").catch((error: unknown) => error);
    expect(toUploadError(later)).toMatchObject({ code: "unavailable" });
    expect((later as Error).message).toContain("the embedded database has stopped");
    expect(performance.now() - asked).toBeLessThan(10_000);
    expect(notices.join()).toContain("the embedded database has stopped");
    await database.close();
  });
});

describe("opening an embedded database", () => {
  test("is refused when its commits would not reach the disk, unless durability is left to the system", async () => {
    const dataDir = await copyEmbeddedTemplate();
    await appendFile(join(dataDir, "database", "postgresql.conf"), "fsync = off\n");
    await expect(open(dataDir)).rejects.toThrow("did not reach the disk");
    const database = await connectDatabase({ dataDir, poolSize: 1, durability: "os" });
    expect((await database.knex.raw("show fsync")).rows).toEqual([{ fsync: "off" }]);
    await database.close();
  });
});

describe("the first start of an embedded database", () => {
  test("creates it, and an interrupted one leaves nothing in the way of the next", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "slipway-first-"));
    const child = insertUntilKilled(dataDir);
    await expect.poll(() => readdir(dataDir), { timeout: 10_000 }).toHaveLength(1);
    await sleep(300);
    child.kill("SIGKILL");
    await once(child, "close");
    expect(existsSync(join(dataDir, "database"))).toBe(false);

    await mkdir(join(dataDir, "database.tmp-0"));
    await writeFile(join(dataDir, "database.tmp-0", "PG_VERSION"), "18");
    const database = await open(dataDir);
    expect((await database.knex.raw("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await database.close();
    expect(existsSync(join(dataDir, "database.tmp-0"))).toBe(false);

    const began = performance.now();
    await (await open(dataDir)).close();
    expect(performance.now() - began).toBeLessThan(5_000);
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
  });
});

describe("an embedded database whose process is killed", () => {
  test("still has every row whose insert was answered", async () => {
    const dataDir = await copyEmbeddedTemplate();
    let answered = 0;
    for (const target of [50, 200, 300]) {
      const child = insertUntilKilled(dataDir);
      let printed = "";
      for await (const bytes of child.stdout) {
        printed += String(bytes);
        const whole = printed.slice(0, printed.lastIndexOf("\n")).split("\n");
        if (whole.length > target) child.kill("SIGKILL");
        answered = Number(whole.at(-1)) || answered;
      }
      const database = await open(dataDir);
      const { rows } = await database.knex.raw("select count(*) as count, max(n) as max from numbers");
      expect(rows[0].max).toBeGreaterThanOrEqual(answered);
      expect(rows[0].count).toBe(rows[0].max);
      await database.close();
    }
    expect(answered).toBeGreaterThan(500);
  });
});
