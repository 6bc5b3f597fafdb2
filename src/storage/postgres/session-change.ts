import type { Knex } from "knex";
import type { Session, SessionChange } from "../../core/index.js";
import { insertEvents } from "./events.js";
import { releaseFiles } from "./files.js";
import { changeRecords } from "./records.js";
import { writeSession } from "./sessions.js";

/**
 * Writes what a decision made of a session that is locked for `change` or `state`, with all that goes with it. The
 * numbers of events are the store's own: they go on from `before`, whatever the decision says.
 */
export async function writeSessionChange(
  trx: Knex.Transaction,
  before: Session,
  change: SessionChange,
  now: Date,
): Promise<Session> {
  const session = { ...change.session, lastEvent: before.lastEvent + change.events.length };
  await writeSession(trx, session);
  await insertEvents(trx, before, change.events, now);
  if (change.releaseContent) await releaseFiles(trx, before.id, now);
  if (change.records) await changeRecords(trx, before.tenantId, change.records);
  return session;
}
