// Queries of the events table.
import type { Knex } from "knex";
import type { NewEvent, Session, SessionHistoryEvent, SessionRef } from "../../core/index.js";
import { type EventRow, eventFromRow } from "./rows.js";
import { getSession } from "./sessions.js";

/**
 * Appends to the history of a session whose row is locked against others that do the same, so that its `lastEvent` is
 * the newest.
 */
export async function insertEvents(
  trx: Knex.Transaction,
  session: Session,
  events: readonly NewEvent[],
  at: Date,
): Promise<void> {
  if (events.length === 0) return;
  await trx.raw(
    `insert into events (tenant_id, session_id, number, type, details, at)
     select ?, ?, ?::bigint + place, event ->> 'type', event -> 'details', ?
     from jsonb_array_elements(?::jsonb) with ordinality as told (event, place)`,
    [session.tenantId, session.id, session.lastEvent, at, JSON.stringify(events)],
  );
}

export async function listEvents(
  db: Knex,
  ref: SessionRef,
  after: number,
  limit: number,
): Promise<readonly SessionHistoryEvent[]> {
  const rows: EventRow[] = await db("events")
    .where({ session_id: ref.sessionId, tenant_id: ref.tenantId })
    .andWhere("number", ">", after)
    .orderBy("number")
    .limit(limit);
  if (rows.length === 0) await getSession(db, ref);
  return rows.map(eventFromRow);
}
