// What a crash or a deed left to be collected. Each deed handles a few rows in a transaction of its own and passes over
// what others have locked.
import type { Knex } from "knex";
import type { SessionRef } from "../../core/index.js";
import { eraseSession } from "./change-session.js";
import { isEnded, isRunning } from "./sessions.js";
import { type Deeds, readNow } from "./transaction.js";

/** A time that an index can be searched by: the clock alone is asked anew for every row, so that all are read. */
const isOver = "expires_at <= (select clock_timestamp())";

const sessionsAtOnce = 10;
const attemptsAtOnce = 100;

export async function listOverdueSessions(db: Knex, limit: number): Promise<readonly SessionRef[]> {
  return db("sessions")
    .whereRaw(`${isRunning} and ${isOver}`)
    .orderBy("expires_at")
    .limit(limit)
    .select({ tenantId: "tenant_id", sessionId: "id" });
}

export function deleteForgottenSessions(deeds: Deeds, limit: number): Promise<number> {
  return inBatches(limit, sessionsAtOnce, (size) => deeds.run((trx) => forgetSessions(trx, size)));
}

async function forgetSessions(trx: Knex.Transaction, limit: number): Promise<number> {
  const ids: string[] = await trx("sessions")
    .whereRaw(`${isEnded} and ${isOver}`)
    .orderBy("expires_at")
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .pluck("id");
  const now = await readNow(trx);
  for (const id of ids) await eraseSession(trx, id, now);
  return ids.length;
}

export function deleteReleasedContent(deeds: Deeds, limit: number): Promise<number> {
  return inBatches(limit, attemptsAtOnce, (size) => deeds.run((trx) => sweepAttempts(trx, size)));
}

const isNamed = `(
  exists (select from files where current_attempt_id = attempts.id)
  or exists (select from files where running_attempt_id = attempts.id)
  or exists (select from item_files where content_id = attempts.id)
  or exists (select from blobs where content_id = attempts.id)
)`;

/**
 * Three statements, each with a sight of its own: while an attempt is locked nobody can begin to name it, and whoever
 * had begun before holds a lock on it that makes the first statement pass it over. So what the second does not find
 * named is nobody's.
 */
async function sweepAttempts(trx: Knex.Transaction, limit: number): Promise<number> {
  const ids: string[] = await trx("attempts")
    .whereNotNull("released_at")
    .orderBy("released_at")
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .pluck("id");
  if (ids.length === 0) return 0;
  await trx("attempts").whereIn("id", ids).whereRaw(isNamed).update({ released_at: null });
  if (!(await deleteUnlessNamed(trx, ids))) {
    for (const id of ids) {
      if (!(await deleteUnlessNamed(trx, [id]))) await trx("attempts").where({ id }).update({ released_at: null });
    }
  }
  return ids.length;
}

/**
 * False when something that is not known here names one of them: the foreign key keeps them all, and the transaction
 * goes on.
 */
async function deleteUnlessNamed(trx: Knex.Transaction, ids: readonly string[]): Promise<boolean> {
  try {
    await trx.transaction((savepoint) => savepoint("attempts").whereIn("id", ids).whereNotNull("released_at").delete());
    return true;
  } catch (error) {
    const { code } = error as { code?: unknown };
    // foreign_key_violation; restrict_violation, as PostgreSQL says from 18 on.
    if (code === "23503" || code === "23001") return false;
    throw error;
  }
}

export function deleteExpiredRecords(deeds: Deeds, limit: number): Promise<number> {
  return deeds.run(async (trx) => {
    let deleted = 0;
    for (const table of ["records", "client_tokens", "tokens"]) {
      deleted += await deleteExpired(trx, table, limit - deleted);
    }
    return deleted;
  });
}

async function deleteExpired(trx: Knex.Transaction, table: string, limit: number): Promise<number> {
  const { rowCount } = await trx.raw(
    `delete from ${table} where ctid = any (array(
       select ctid from ${table} where ${isOver} limit ? for update skip locked
     ))`,
    [limit],
  );
  return rowCount;
}

/** Repeats until `limit` things were handled or no more are there. */
async function inBatches(limit: number, size: number, handle: (size: number) => Promise<number>): Promise<number> {
  let handled = 0;
  while (handled < limit) {
    const asked = Math.min(size, limit - handled);
    const count = await handle(asked);
    handled += count;
    if (count < asked) break;
  }
  return handled;
}
