import type { Knex } from "knex";
import { type FilePut, itemNotFound, type MetadataStore } from "../../core/index.js";
import { takeToken, tieToken } from "./client-tokens.js";
import { findFiles } from "./files.js";
import { applyToItem, listItemFileRefs } from "./item-files.js";
import { lockItem } from "./items.js";
import { rowFromFile, rowFromSession } from "./rows.js";
import { findOpenSessions, getSession } from "./sessions.js";
import { readNow } from "./transaction.js";

/** In the order of `createSession`: the token, then the item; its rows go in with one statement. */
export async function putFile(trx: Knex.Transaction, input: FilePut): ReturnType<MetadataStore["putFile"]> {
  const { tenantId, ownerId, itemId, clientToken } = input;
  const key = clientToken && { tenantId, ownerId, clientToken };
  if (key !== undefined) {
    const token = await takeToken(trx, key);
    if (!token.taken) return { ...(await findPut(trx, tenantId, token.thingId)), applied: false };
  }
  const item = itemId === undefined ? undefined : await lockItem(trx, tenantId, itemId);
  if (itemId !== undefined && item === undefined) throw itemNotFound(itemId);
  const open = item === undefined ? [] : await findOpenSessions(trx, tenantId, item.id);
  const itemFiles = item === undefined ? [] : await listItemFileRefs(trx, item.id);
  const now = await readNow(trx);

  const built = input.build({ now, item, open, itemFiles });
  const session = { ...built.session, lastEvent: built.events.length };
  await insertPut(trx, { ...built, session }, input.extent, now);
  if (built.apply !== undefined && item !== undefined) await applyToItem(trx, item, session.id, built.apply, now);
  if (key !== undefined) await tieToken(trx, key, "session_id", session.id);
  return { session, file: built.file, applied: true };
}

async function findPut(trx: Knex.Transaction, tenantId: string, sessionId: string) {
  const session = await getSession(trx, { tenantId, sessionId });
  const [file] = await findFiles(trx, sessionId);
  if (file === undefined) throw new TypeError(`session ${sessionId} was put with a file and has none`);
  return { session, file };
}

/** Rows that name each other may come in one statement: references are checked at its end. */
async function insertPut(
  trx: Knex.Transaction,
  put: ReturnType<FilePut["build"]>,
  extent: FilePut["extent"],
  now: Date,
): Promise<void> {
  const { session, file, events } = put;
  const { id: attemptId, sizeBytes, checksums } = file.current;
  const { tenantId, id: sessionId } = session;
  const attempt = {
    id: attemptId,
    tenant_id: tenantId,
    number: 1,
    epoch: 1,
    offset_bytes: sizeBytes,
    checksums: JSON.stringify(checksums),
  };
  const told = events.map(({ type, details }, index) => ({
    tenant_id: tenantId,
    session_id: sessionId,
    number: index + 1,
    type,
    details: JSON.stringify(details),
    at: now,
  }));
  const statement = trx
    .with("session_made", trx("sessions").insert(rowFromSession(session)))
    .with("attempt_made", trx("attempts").insert(attempt))
    .with("events_made", trx("events").insert(told));
  if (extent !== undefined) {
    const row = {
      tenant_id: tenantId,
      attempt_id: attemptId,
      epoch: extent.epoch,
      offset_bytes: extent.offset,
      length_bytes: extent.length,
      blob_key: extent.blobKey,
    };
    statement.with("extent_made", trx("extents").insert(row));
  }
  await statement.insert(rowFromFile(file)).into("files");
}
