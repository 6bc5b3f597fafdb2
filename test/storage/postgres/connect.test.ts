import type { Knex } from "knex";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectDatabase, type Database } from "../../../src/storage/postgres/connect.js";
import { isUniqueViolation, toUploadError } from "../../../src/storage/postgres/errors.js";
import { copyEmbeddedTemplate } from "../../support/embedded-template.js";
import { openTestSchema, ownPostgresAvailable, postgresAvailable, startOwnPostgres } from "../../support/postgres.js";

const settings = { dataDir: "unused", poolSize: 4, durability: "fsync" } as const;

async function openEmbedded(): Promise<Database> {
  return connectDatabase({ ...settings, dataDir: await copyEmbeddedTemplate() });
}

async function openServer(): Promise<Database> {
  const { url, drop } = await openTestSchema();
  const database = await connectDatabase({ ...settings, url });
  return {
    ...database,
    async close() {
      await database.close();
      await drop();
    },
  };
}

const kinds = [
  { name: "an embedded database", open: openEmbedded, available: true },
  { name: "a PostgreSQL server", open: openServer, available: postgresAvailable() },
];

function migrationSource(names: readonly string[], failing?: string): Knex.MigrationSource<string> {
  return {
    getMigrations: async () => [...names],
    getMigrationName: (name) => name,
    getMigration: async (name) => ({
      async up(knex) {
        await knex.schema.createTable(name, (table) => table.bigInteger("size"));
        if (name === failing) throw new Error(`${name} failed`);
      },
      async down() {},
    }),
  };
}

function migrate(knex: Knex, source: Knex.MigrationSource<string>): Promise<[number, string[]]> {
  return knex.transaction(async (trx) => {
    await trx.raw("select pg_advisory_xact_lock(42)");
    return trx.migrate.latest({ migrationSource: source });
  });
}

describe.each(kinds.filter(({ available }) => available))("$name", ({ open }) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());

  test("answers int8, its arrays and numeric as numbers, timestamps as dates and jsonb parsed", async () => {
    const { rows } = await database.knex.raw(`select 5::int8 as int8, array[1, null]::int8[] as array, 1.5 as numeric,
      (select sum(n) from generate_series(1, 10) n) as sum, '2026-01-02T03:04:05Z'::timestamptz as at,
      '{"a": [1]}'::jsonb as json`);
    const at = new Date("2026-01-02T03:04:05Z");
    expect(rows).toEqual([{ int8: 5, array: [1, null], numeric: 1.5, sum: 55, at, json: { a: [1] } }]);
  });

  test("fails a query whose int8 no number holds exactly, and the next one works", async () => {
    await expect(database.knex.raw("select 9007199254740993::int8")).rejects.toThrow("does not fit a number");
    expect((await database.knex.raw("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  test("says which constraint refused a row", async () => {
    const { knex } = database;
    await knex.schema.createTable("names", (table) => table.text("name").unique("names_name"));
    await knex("names").insert({ name: "a" });
    const error: unknown = await knex("names")
      .insert({ name: "a" })
      .catch((reason: unknown) => reason);
    expect(isUniqueViolation(error)).toBe(true);
    expect(isUniqueViolation(error, "names_name")).toBe(true);
    expect(isUniqueViolation(error, "other")).toBe(false);
    expect(toUploadError(error)).toBe(error);
  });

  test("a failing migration inside a locked transaction leaves nothing, and the whole list then applies once", async () => {
    const { knex } = database;
    const names = ["0001-a", "0002-b"];
    await expect(migrate(knex, migrationSource(names, "0002-b"))).rejects.toThrow("0002-b failed");
    for (const table of [...names, "knex_migrations", "knex_migrations_lock"]) {
      expect(await knex.schema.hasTable(table)).toBe(false);
    }
    const results = await Promise.all([1, 2, 3].map(() => migrate(knex, migrationSource(names))));
    expect(results.map(([, applied]) => applied.length).sort()).toEqual([0, 0, 2]);
  });

  test("a transaction that throws is rolled back", async () => {
    const { knex } = database;
    await knex.schema.createTable("kept", (table) => table.integer("n"));
    const failed = knex.transaction(async (trx) => {
      await trx("kept").insert({ n: 1 });
      throw new TypeError("no");
    });
    await expect(failed).rejects.toThrow(TypeError);
    expect(await knex("kept").select()).toEqual([]);
  });

  test("answers a large result and takes a large value whole", async () => {
    const text = "x".repeat(5_000_000);
    const { rows } = await database.knex.raw("select ?::text as text, length(?) as size", [text, text]);
    expect(rows[0].size).toBe(text.length);
    expect(rows[0].text).toBe(text);
    const many = await database.knex.raw("select n, repeat('y', 500) as y from generate_series(1, 20000) n");
    expect(many.rows.length).toBe(20_000);
  });
});

function ask({ knex }: Database): Promise<unknown> {
  return knex.raw("select 1 as one").then(({ rows }) => rows[0].one, toUploadError);
}

/** A connection that died a moment ago may be found out only by the query that uses it. */
async function recovers(database: Database): Promise<void> {
  await expect
    .poll(async () => (await Promise.all([ask(database), ask(database), ask(database)])).join())
    .toBe("1,1,1");
}

describe.runIf(ownPostgresAvailable())("a PostgreSQL server that comes and goes", () => {
  test("killed backends fail their queries with unavailable, and the pool connects anew", async () => {
    const { url, drop } = await openTestSchema();
    const victim = await connectDatabase({ ...settings, url });
    const killer = await connectDatabase({ ...settings, url });
    const killAll = () =>
      killer.knex.raw(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
      );
    await Promise.all([1, 2, 3].map(() => victim.knex.raw("select pg_sleep(0.05)")));
    await killAll();
    await recovers(victim);

    const running = victim.knex.raw("select pg_sleep(20)").then(undefined, toUploadError);
    await expect.poll(async () => (await killAll()).rows.length).toBeGreaterThan(0);
    expect(await running).toMatchObject({ code: "unavailable", details: { reason: "DATABASE_UNAVAILABLE" } });
    await recovers(victim);
    await Promise.all([victim.close(), killer.close()]);
    await drop();
  });

  test("connecting succeeds while it is down; queries fail at once and work after its start, stop and crash", async () => {
    const server = await startOwnPostgres();
    await server.stop();
    const database = await connectDatabase({ ...settings, url: server.url });
    try {
      expect(await ask(database)).toMatchObject({ code: "unavailable" });
      await server.start();
      expect(await ask(database)).toBe(1);
      for (const end of [server.stop, server.kill]) {
        await Promise.all([ask(database), ask(database), ask(database)]);
        await end();
        const asked = performance.now();
        expect(await ask(database)).toMatchObject({ code: "unavailable" });
        expect(performance.now() - asked).toBeLessThan(2_000);
        await server.start();
        expect(await ask(database)).toBe(1);
      }
    } finally {
      await database.close();
      await server.remove();
    }
  });
});
