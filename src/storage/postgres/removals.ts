// Queries of the original_removals table.
import type { Knex } from "knex";
import { type Completion, createId, type OriginalRemoval } from "../../core/index.js";

export async function insertRemovals(
  trx: Knex.Transaction,
  tenantId: string,
  removals: NonNullable<Completion["removals"]>,
): Promise<void> {
  const rows = removals.map(({ uri, validator }) => ({ id: createId(), uri, validator }));
  await trx.raw(
    `insert into original_removals (id, tenant_id, uri, validator, tries, due_at)
     select id, ?, uri, validator, 0, clock_timestamp()
     from jsonb_to_recordset(?::jsonb) as noted (id uuid, uri text, validator text)`,
    [tenantId, JSON.stringify(rows)],
  );
}

export async function takeRemovals(db: Knex, limit: number): Promise<readonly OriginalRemoval[]> {
  const { rows } = await db.raw(
    `update original_removals as r set
       tries = r.tries + 1,
       due_at = clock_timestamp() + least(interval '1 day', interval '1 minute' * (2 ^ least(r.tries, 20)))
     from (
       select id from original_removals where due_at <= (select clock_timestamp())
       order by due_at limit ? for update skip locked
     ) due where r.id = due.id
     returning r.id, r.uri, r.validator`,
    [limit],
  );
  return rows;
}

export async function dropRemoval(db: Knex, id: string): Promise<void> {
  await db("original_removals").where({ id }).delete();
}
