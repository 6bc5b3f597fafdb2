// Queries of the pulls table: which files wait to be fetched, and who is at it.
import type { Knex } from "knex";
import type { LeasedPull, PullStore, SessionFile } from "../../core/index.js";
import { isRunning } from "./sessions.js";

/** Makes the row of a file that was written be what the file says; a new time ends the lease. */
export async function writePull(
  trx: Knex.Transaction,
  before: SessionFile | undefined,
  after: SessionFile,
): Promise<void> {
  if (after.pull === undefined) {
    if (before?.pull !== undefined) await trx("pulls").where({ file_id: after.id }).delete();
    return;
  }
  if (before?.pull?.dueAt.getTime() === after.pull.dueAt.getTime()) return;
  const { id, tenantId, sessionId, pull } = after;
  await trx.raw(
    `insert into pulls as known (file_id, tenant_id, session_id, due_at, lease) values (?, ?, ?, ?, 0)
     on conflict (file_id) do update set due_at = excluded.due_at, lease = known.lease + 1`,
    [id, tenantId, sessionId, pull.dueAt],
  );
}

/**
 * What is due and of a session that runs is leased in one statement, past those that another one leases.
 */
export async function leasePull(
  db: Knex,
  { leaseMs, exceptTenants }: Parameters<PullStore["leasePull"]>[0],
): ReturnType<PullStore["leasePull"]> {
  const turn = exceptTenants.length === 0 ? "anybody" : await findTenantInTurn(db, exceptTenants);
  const row = turn === undefined ? undefined : await leaseFirst(db, leaseMs, turn);
  if (row !== undefined) {
    return {
      pull: { tenantId: row.tenant_id, sessionId: row.session_id, fileId: row.file_id, lease: row.lease },
    };
  }
  const next = await db.raw(
    `select extract(epoch from due_at - clock_timestamp()) * 1000 as ms from pulls
     where due_at > (select clock_timestamp()) order by due_at limit 1`,
  );
  return { pull: undefined, nextMs: next.rows[0] && Math.max(0, Math.ceil(next.rows[0].ms)) };
}

/** A session that is overdue has nothing to do but to end. */
const canGoOn = `s.${isRunning} and s.expires_at > (select clock_timestamp())`;
const isDue = "p.due_at <= (select clock_timestamp())";

/**
 * What is due of a tenant. Pairs are compared so that its rows are found by themselves: one by one in the order of
 * their times, those of others before them may be very many.
 */
const isDueOf = (tenantId: string) =>
  `(p.tenant_id, p.due_at) >= (${tenantId}, '-infinity'::timestamptz)
   and (p.tenant_id, p.due_at) <= (${tenantId}, (select clock_timestamp()))`;

async function leaseFirst(db: Knex, leaseMs: number, turn: "anybody" | TenantTurn): Promise<PullRow | undefined> {
  const [due, order, ids] =
    turn === "anybody"
      ? [isDue, "p.due_at", []]
      : [isDueOf("?::uuid"), "p.tenant_id, p.due_at", [turn.tenantId, turn.tenantId]];
  const { rows } = await db.raw(
    `with due as (
       select p.file_id from pulls p join sessions s on s.id = p.session_id
       where ${due} and ${canGoOn} order by ${order} limit 1 for update of p skip locked
     )
     update pulls set due_at = clock_timestamp() + ? * interval '1 millisecond', lease = lease + 1
     from due where pulls.file_id = due.file_id
     returning pulls.tenant_id, pulls.session_id, pulls.file_id, pulls.lease`,
    [...ids, leaseMs],
  );
  return rows[0];
}

interface TenantTurn {
  readonly tenantId: string;
}

/** Whose pull has been due the longest, but for these; undefined where nothing is due. */
async function findTenantInTurn(db: Knex, exceptTenants: readonly string[]): Promise<TenantTurn | undefined> {
  const { rows } = await db.raw(
    `select t.id from tenants t cross join lateral (
       select p.due_at from pulls p join sessions s on s.id = p.session_id
       where ${isDueOf("t.id")} and ${canGoOn} order by p.tenant_id, p.due_at limit 1
     ) first
     where t.id not in (select value::uuid from jsonb_array_elements_text(?::jsonb))
     order by first.due_at limit 1`,
    [JSON.stringify(exceptTenants)],
  );
  return rows[0] && { tenantId: rows[0].id };
}

/** A session that ends waits for nothing any more. The rows are locked in the order in which leases lock them. */
export async function endPulls(trx: Knex.Transaction, sessionId: string): Promise<void> {
  await trx.raw(
    `delete from pulls where file_id in (
       select file_id from pulls where session_id = ? order by file_id for update
     )`,
    [sessionId],
  );
}

export async function renewPulls(
  trx: Knex.Transaction,
  pulls: readonly LeasedPull[],
  leaseMs: number,
): Promise<readonly string[]> {
  const { rows } = await trx.raw(
    `update pulls set due_at = clock_timestamp() + ? * interval '1 millisecond'
     from (${heldLeases}) held where pulls.file_id = held.file_id returning pulls.file_id`,
    [leaseMs, JSON.stringify(pulls)],
  );
  return (rows as PullRow[]).map((row) => row.file_id);
}

export async function returnPulls(trx: Knex.Transaction, pulls: readonly LeasedPull[]): Promise<void> {
  await trx.raw(
    `update pulls set due_at = held.file_due_at, lease = pulls.lease + 1
     from (${heldLeases}) held where pulls.file_id = held.file_id`,
    [JSON.stringify(pulls)],
  );
}

export async function returnAllPulls(trx: Knex.Transaction): Promise<number> {
  const { rowCount } = await trx.raw(
    `update pulls set due_at = (f.pull ->> 'dueAt')::timestamptz, lease = pulls.lease + 1
     from files f where f.id = pulls.file_id and pulls.lease > 0
       and pulls.due_at <> (f.pull ->> 'dueAt')::timestamptz`,
  );
  await trx("original_removals").update({ tries: 0, due_at: trx.raw("clock_timestamp()") });
  return rowCount;
}

/** Of those that would end within five minutes, or within half of their idle time where that is shorter. */
export async function keepPullingAlive(db: Knex, limit: number): Promise<number> {
  const { rowCount } = await db.raw(
    `with ending as (
       select id, least(
         (select clock_timestamp()) + idle_ttl_ms * interval '1 millisecond',
         created_at + absolute_ttl_ms * interval '1 millisecond'
       ) as deadline
       from sessions s
       where ${isRunning} and expires_at > (select clock_timestamp())
         and expires_at <= (select clock_timestamp()) + interval '5 minutes'
         and expires_at <= (select clock_timestamp()) + idle_ttl_ms * interval '1 millisecond' / 2
         and exists (select from pulls p where p.session_id = s.id)
       order by expires_at limit ? for no key update skip locked
     )
     update sessions set expires_at = ending.deadline
     from ending where sessions.id = ending.id and ending.deadline > sessions.expires_at`,
    [limit],
  );
  return rowCount;
}

/** Of the pulls that are bound as JSON those whose lease is held, locked in the order of their ids. */
const heldLeases = `
  select p.file_id, (f.pull ->> 'dueAt')::timestamptz as file_due_at
  from pulls p
  join jsonb_to_recordset(?::jsonb) as asked ("fileId" uuid, lease bigint)
    on asked."fileId" = p.file_id and asked.lease = p.lease
  join files f on f.id = p.file_id
  order by p.file_id for update of p`;

export async function listSettleable(
  db: Knex,
  { sessionId, limit }: Parameters<PullStore["listSettleable"]>[0],
): ReturnType<PullStore["listSettleable"]> {
  const waiting = db("sessions as s")
    .whereRaw("s.state = 'completing' and s.expires_at > (select clock_timestamp())")
    .whereRaw("not exists (select from pulls p where p.session_id = s.id)")
    .limit(limit)
    .select({ tenantId: "s.tenant_id", sessionId: "s.id" });
  return sessionId === undefined ? waiting : waiting.where("s.id", sessionId);
}

interface PullRow {
  readonly tenant_id: string;
  readonly session_id: string;
  readonly file_id: string;
  readonly lease: number;
}
