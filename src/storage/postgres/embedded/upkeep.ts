// What PostgreSQL's background processes do elsewhere. PGlite has none: unattended, the log only ever grows, and no
// dead row is ever cleared away.

import type { PGlite } from "@electric-sql/pglite";

const usualPace = { lookEveryMs: 5_000, checkpointAfterBytes: 64 * 1024 * 1024, vacuumEveryMs: 10 * 60_000 };

const bloatedTables = `
  select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables
  where n_dead_tup > 1000 + 0.2 * n_live_tup or n_mod_since_analyze > 1000 + 0.2 * n_live_tup`;

/**
 * To be called between transactions; does something now and then: a checkpoint once enough has been written (fractions
 * of a second), a vacuum of the tables that need one.
 */
export function createUpkeep(database: PGlite, pace = usualPace): () => Promise<void> {
  let looked = performance.now();
  let vacuumed = looked;
  let checkpoint = "0/0";
  return async () => {
    const now = performance.now();
    if (now - looked < pace.lookEveryMs) return;
    looked = now;
    const { rows } = await database.query<{ lsn: string; grown: number }>(
      "select lsn, (lsn - $1::pg_lsn)::float8 as grown from pg_current_wal_insert_lsn() as lsn",
      [checkpoint],
    );
    const [log] = rows;
    if (log && log.grown > pace.checkpointAfterBytes) {
      await database.exec("checkpoint");
      checkpoint = log.lsn;
    }
    if (now - vacuumed < pace.vacuumEveryMs) return;
    vacuumed = now;
    for (const { name } of (await database.query<{ name: string }>(bloatedTables)).rows) {
      await database.exec(`vacuum (analyze) ${name}`);
    }
  };
}
