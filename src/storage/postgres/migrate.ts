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
import { pulls } from "./migrations/0010-pulls.js";
import { links } from "./migrations/0011-links.js";
import { lists } from "./migrations/0012-lists.js";
import { once } from "./migrations/0013-once.js";
import { catalogTokens } from "./migrations/0014-catalog-tokens.js";
import type { Migration } from "./migrations/migration.js";
import { DatabaseRefusal } from "./refusal.js";

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
  pulls,
  links,
  lists,
  once,
  catalogTokens,
];

const oldestVersion = 15;

// Wrong password or unknown user; no such database; no right to connect to it, or to make tables.
const noWayIn = /^(?:28...|3D000|42501)$/;

/** One number for every process that may migrate the same database. */
const migrationLock = 5_134_927_041;

/**
 * Brings the schema up to what this code knows, in one transaction; of several processes that start at once one does it
 * and the others wait. Refuses a database that a newer version has migrated, and one that is
 * older than what this code is tested with, and changes nothing of it.
 */
export async function migrate(knex: Knex): Promise<void> {
  try {
    await knex.transaction(async (trx) => {
      await assertVersion(trx);
      await trx.raw("select pg_advisory_xact_lock(?::bigint)", [migrationLock]);
      const applied = await findApplied(trx);
      assertKnown(applied);
      if (applied.length < migrations.length) await trx.migrate.latest({ migrationSource });
    });
  } catch (error) {
    throw wayInRefusal(error) ?? toUploadError(error);
  }
}

async function assertVersion(trx: Knex.Transaction): Promise<void> {
  const sql = "select current_setting('server_version_num')::int as number, current_setting('server_version') as name";
  const { rows } = await trx.raw(sql);
  if (rows[0].number >= oldestVersion * 10_000) return;
  const sentence = `the address of a PostgreSQL ${oldestVersion} or newer, and this one is ${rows[0].name}`;
  throw new DatabaseRefusal(sentence, { isUrl: true });
}

/** What the server says to those whom it does not let in. */
function wayInRefusal(error: unknown): DatabaseRefusal | undefined {
  const { code, message } = error as { readonly code?: unknown; readonly message?: string };
  if (!(error instanceof Error) || typeof code !== "string" || !noWayIn.test(code)) return undefined;
  const sentence = `the address of a database with a user and password that it lets in; it says: ${message}`;
  return new DatabaseRefusal(sentence, { isUrl: true, cause: error });
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

async function findApplied(trx: Knex.Transaction): Promise<readonly string[]> {
  if (!(await trx.schema.hasTable("knex_migrations"))) return [];
  return trx("knex_migrations").orderBy("id").pluck("name");
}

function assertKnown(applied: readonly string[]): void {
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = applied.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const names = unknown.join(", ");
  const sentence = `the database was migrated by a newer version of slipway (${names}): start that version`;
  throw new DatabaseRefusal(sentence, { isUrl: false });
}
