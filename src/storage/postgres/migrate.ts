import type { Knex } from "knex";
import { toUploadError } from "./errors.js";
import { tenants } from "./migrations/0001-tenants.js";
import { attempts } from "./migrations/0002-attempts.js";
import { catalog } from "./migrations/0003-catalog.js";
import { sessions } from "./migrations/0004-sessions.js";
import { records } from "./migrations/0005-records.js";
import { anyCase } from "./migrations/0006-any-case.js";
import { identity } from "./migrations/0007-identity.js";
import { blobs } from "./migrations/0008-blobs.js";
import { underWay } from "./migrations/0009-under-way.js";
import type { Migration } from "./migrations/migration.js";

const migrations: readonly Migration[] = [
  tenants,
  attempts,
  catalog,
  sessions,
  records,
  anyCase,
  identity,
  blobs,
  underWay,
];

/** One number for every process that may migrate the same database. */
const migrationLock = 5_134_927_041;

/**
 * Brings the schema up to what this code knows, in one transaction; of several processes that start at once one does it
 * and the others wait. Refuses a database that a newer version has migrated, and changes nothing of it.
 */
export async function migrate(knex: Knex): Promise<void> {
  try {
    await knex.transaction(async (trx) => {
      await trx.raw("select pg_advisory_xact_lock(?::bigint)", [migrationLock]);
      await assertKnown(trx);
      await trx.migrate.latest({ migrationSource });
    });
  } catch (error) {
    throw toUploadError(error);
  }
}

const migrationSource: Knex.MigrationSource<Migration> = {
  getMigrations: async () => [...migrations],
  getMigrationName: ({ name }) => name,
  getMigration: async ({ name, statements }) => ({
    async up(trx) {
      for (const statement of statements) await trx.raw(statement);
    },
    async down() {
      throw new Error(`migration ${name} cannot be undone`);
    },
  }),
};

async function assertKnown(trx: Knex.Transaction): Promise<void> {
  if (!(await trx.schema.hasTable("knex_migrations"))) return;
  const applied: string[] = await trx("knex_migrations").orderBy("id").pluck("name");
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = applied.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const names = unknown.join(", ");
  throw new Error(`the database was migrated by a newer version of slipway (${names}): start that version`);
}
