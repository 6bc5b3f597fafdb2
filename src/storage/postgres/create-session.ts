import type { Knex } from "knex";
import { itemNotFound, type MetadataStore, type SessionCreation } from "../../core/index.js";
import { findMade, takeToken, tieToken } from "./client-tokens.js";
import { insertEvents } from "./events.js";
import { insertFiles } from "./files.js";
import { lockItem } from "./items.js";
import { changeRecords } from "./records.js";
import { findOpenSessions, getSession, insertSession } from "./sessions.js";
import { readNow } from "./transaction.js";

/**
 * The token comes first: a repeat must not wait for the item, and of two with the same token the second waits here for
 * the first.
 */
export async function createSession(
  trx: Knex.Transaction,
  input: SessionCreation,
): ReturnType<MetadataStore["createSession"]> {
  const { tenantId, ownerId, itemId, clientToken } = input;
  const key = clientToken && { tenantId, ownerId, clientToken };
  if (key !== undefined) {
    const token = await takeToken(trx, key);
    if (!token.taken) {
      const session = await findMade(token.thingId, (sessionId) => getSession(trx, { tenantId, sessionId }));
      return { session, applied: false };
    }
  }
  const item = itemId === undefined ? undefined : await lockItem(trx, tenantId, itemId);
  if (itemId !== undefined && item === undefined) throw itemNotFound(itemId);
  const open = item === undefined ? [] : await findOpenSessions(trx, tenantId, item.id);
  const now = await readNow(trx);

  const { session: built, files = [], events, records } = input.build({ now, item, open });
  await insertSession(trx, { ...built, lastEvent: events.length });
  await insertFiles(trx, files);
  await insertEvents(trx, { ...built, lastEvent: 0 }, events, now);
  if (records !== undefined) await changeRecords(trx, tenantId, records);
  if (key !== undefined) await tieToken(trx, key, "session_id", built.id);
  return { session: { ...built, lastEvent: events.length }, applied: true };
}
