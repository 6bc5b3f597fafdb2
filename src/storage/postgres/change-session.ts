// Deeds that nothing else may happen to the session beside: its row is locked for `state` first, then its item's.
import type { Knex } from "knex";
import type { MetadataStore, SessionRef } from "../../core/index.js";
import { releaseAttempts } from "./attempts.js";
import { expireTokens } from "./client-tokens.js";
import { attemptsOfSession, findFiles, writeFileAttributes } from "./files.js";
import { applyToItem, listItemFileRefs } from "./item-files.js";
import { lockItem } from "./items.js";
import { insertRemovals } from "./removals.js";
import { writeSessionChange } from "./session-change.js";
import { lockSession } from "./sessions.js";
import { readNow } from "./transaction.js";

export async function updateSession(
  trx: Knex.Transaction,
  ref: SessionRef,
  change: Parameters<MetadataStore["updateSession"]>[1],
): ReturnType<MetadataStore["updateSession"]> {
  const { session, now } = await lockSession(trx, ref, "state");
  const changed = change(session, now);
  if (changed === undefined) return { session, applied: false };
  return { session: await writeSessionChange(trx, session, changed, now), applied: true };
}

export async function completeSession(
  trx: Knex.Transaction,
  ref: SessionRef,
  decide: Parameters<MetadataStore["completeSession"]>[1],
): ReturnType<MetadataStore["completeSession"]> {
  const { session } = await lockSession(trx, ref, "state");
  // Without locks of their own: whoever changes a file holds its session.
  const files = await findFiles(trx, session.id);
  const item = session.itemId === undefined ? undefined : await lockItem(trx, session.tenantId, session.itemId);
  const itemFiles = item === undefined ? [] : await listItemFileRefs(trx, item.id);
  const now = await readNow(trx);

  const completion = decide({ session, files, item, itemFiles }, now);
  if (completion === undefined) return { session, applied: false };
  if (completion.files?.length) await writeFileAttributes(trx, session.id, completion.files);
  if (completion.apply !== undefined) {
    if (item === undefined) throw new TypeError(`session ${session.id} has no item to apply its files to`);
    await applyToItem(trx, item, session.id, completion.apply, now);
  }
  if (completion.removals?.length) await insertRemovals(trx, session.tenantId, completion.removals);
  return { session: await writeSessionChange(trx, session, completion, now), applied: true };
}

export async function deleteSession(
  trx: Knex.Transaction,
  ref: SessionRef,
  check: Parameters<MetadataStore["deleteSession"]>[1],
): Promise<void> {
  const { session, now } = await lockSession(trx, ref, "state");
  check(session, now);
  await eraseSession(trx, session.id, now);
}

/** Deletes a session that is locked for `state`; its files and its history go with its row. */
export async function eraseSession(trx: Knex.Transaction, sessionId: string, now: Date): Promise<void> {
  await releaseAttempts(trx, attemptsOfSession, [sessionId, sessionId], now);
  await expireTokens(trx, "session_id", { named: "select ?::uuid", bindings: [sessionId] }, now);
  await trx("sessions").where({ id: sessionId }).delete();
}
