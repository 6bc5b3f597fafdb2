// Queries of the sessions table.
import type { Knex } from "knex";
import {
  deadlineFrom,
  moveSession,
  type Page,
  type PageQuery,
  type Predicate,
  pageOf,
  type Session,
  type SessionField,
  type SessionRef,
  sessionNotFound,
} from "../../core/index.js";
import { type FieldTable, selectPage } from "./predicate.js";
import { rowFromSession, type SessionRow, sessionFromRow } from "./rows.js";
import { lockRow } from "./transaction.js";

/**
 * How much of a session a deed keeps to itself. Every deed takes its session's lock first, and at once as strong as it
 * needs it, then its file's: so no two deeds can wait for each other. `share`: bytes flow, beside each other and beside
 * `change`. `change`: files and history, one deed at a time. `state`: nothing else happens to the session or its files.
 */
export const sessionLocks = { share: "for key share", change: "for no key update", state: "for update" } as const;

export type SessionLock = keyof typeof sessionLocks;

// Written as the partial indexes are, or they would not be used.
export const isRunning = "state in ('active', 'completing')";
export const isEnded = "state in ('done', 'canceled', 'failed')";

export const sessionFields: FieldTable<SessionField> = {
  id: { column: "id", kind: "id" },
  state: { column: "state", kind: "text" },
  ownerId: { column: "owner_id", kind: "id" },
  visibility: { column: "visibility", kind: "text" },
  origin: { column: "origin", kind: "text" },
  label: { column: "label", kind: "text" },
  itemId: { column: "item_id", kind: "id" },
  createdAt: { column: "created_at", kind: "time" },
  modifiedAt: { column: "modified_at", kind: "time" },
};

export async function findSession(db: Knex, ref: SessionRef): Promise<Session | undefined> {
  const row = await db<SessionRow>("sessions").where({ id: ref.sessionId, tenant_id: ref.tenantId }).first();
  return row && sessionFromRow(row as SessionRow);
}

export async function getSession(db: Knex, ref: SessionRef): Promise<Session> {
  const session = await findSession(db, ref);
  if (session === undefined) throw sessionNotFound(ref.sessionId);
  return session;
}

/** Throws `not_found`. */
export async function lockSession(
  trx: Knex.Transaction,
  ref: SessionRef,
  lock: SessionLock,
): Promise<{ readonly session: Session; readonly now: Date }> {
  const query = `select * from sessions where id = ? and tenant_id = ? ${sessionLocks[lock]}`;
  const row = await lockRow<SessionRow>(trx, query, [ref.sessionId, ref.tenantId]);
  if (row === undefined) throw sessionNotFound(ref.sessionId);
  return { session: sessionFromRow(row), now: row.now };
}

export async function listSessions(
  db: Knex,
  tenantId: string,
  predicate: Predicate<SessionField>,
  page: PageQuery,
): Promise<Page<Session>> {
  const rows: SessionRow[] = await selectPage(db, "sessions", { tenantId, predicate, fields: sessionFields, page });
  return pageOf(rows.map(sessionFromRow), page.limit);
}

export async function findOpenSessions(db: Knex, tenantId: string, itemId: string): Promise<readonly Session[]> {
  const rows = await db<SessionRow>("sessions")
    .where({ item_id: itemId, tenant_id: tenantId })
    .whereRaw(isRunning)
    .orderBy(["created_at", "id"]);
  return (rows as SessionRow[]).map(sessionFromRow);
}

const mostCounted = 100_000;

/** The inner query goes along the partial index, and no further than it is told to. */
export async function countOpenSessions(db: Knex): Promise<number> {
  const { rows } = await db.raw(
    `select count(*)::int as counted from (
       select expires_at from sessions where ${isRunning} order by expires_at limit ?
     ) open`,
    [mostCounted],
  );
  const { counted } = rows[0];
  if (counted < mostCounted) return counted;
  const estimate = await db.raw(
    "select reltuples::float8 as about from pg_class where oid = 'sessions_running'::regclass",
  );
  return Math.max(counted, estimate.rows[0].about);
}

export async function insertSession(trx: Knex.Transaction, session: Session): Promise<void> {
  await trx("sessions").insert(rowFromSession(session));
}

/** Everything but what it is known by: id, tenant, owner and birth. */
export async function writeSession(trx: Knex.Transaction, session: Session): Promise<void> {
  const { id, tenant_id, owner_id, created_at, ...columns } = rowFromSession(session);
  await trx("sessions").where({ id }).update(columns);
}

const leastGainMs = 15_000;

/**
 * The deadline that activity at `now` gives the session, or undefined when it runs no more or it is hardly worth a
 * write.
 */
function deadlineAfter(session: Session, now: Date): Date | undefined {
  const { state, expiresAt } = session;
  if ((state !== "active" && state !== "completing") || expiresAt === undefined || expiresAt <= now) return undefined;
  const deadline = deadlineFrom(session, now);
  const gain = deadline.getTime() - expiresAt.getTime();
  return gain > Math.min(leastGainMs, session.deadlines.idleTtlMs / 10) ? deadline : undefined;
}

/**
 * Puts the deadline off because bytes flow. The session is held in `share` mode: when another deed has a stronger lock
 * on it, this passes over rather than waits (that deed is activity itself, and the next bytes come by soon).
 */
export async function keepAlive(trx: Knex.Transaction, session: Session, now: Date): Promise<Session> {
  const expiresAt = deadlineAfter(session, now);
  if (expiresAt === undefined) return session;
  const { rows } = await trx.raw(
    `update sessions set expires_at = greatest(expires_at, ?)
     where id in (select id from sessions where id = ? for no key update skip locked)
     returning expires_at`,
    [expiresAt, session.id],
  );
  return rows.length === 0 ? session : { ...session, expiresAt: rows[0].expires_at };
}

/**
 * What the end of an attempt changes of a session that is locked for `change` or `state`: `told` events more, and a
 * deadline put off.
 */
export async function writeActivity(
  trx: Knex.Transaction,
  session: Session,
  told: number,
  now: Date,
): Promise<Session> {
  const deadline = deadlineAfter(session, now);
  if (deadline === undefined && told === 0) return session;
  const next = { ...session, lastEvent: session.lastEvent + told, expiresAt: deadline ?? session.expiresAt };
  await trx("sessions")
    .where({ id: session.id })
    .update({ last_event: next.lastEvent, expires_at: next.expiresAt ?? null });
  return next;
}

/** Throws `wrong_state` or `expired` unless bytes may flow into the session. */
export function assertRunning(session: Session, now: Date): void {
  moveSession(session, "touch", now);
}
