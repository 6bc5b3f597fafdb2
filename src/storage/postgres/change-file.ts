import type { Knex } from "knex";
import type { SessionRef, TransferStore } from "../../core/index.js";
import { deleteFile, insertFile, lockFile, writeFile } from "./files.js";
import { writeSessionChange } from "./session-change.js";
import { lockSession } from "./sessions.js";

/**
 * The session is locked for `change`: of two that declare the same name the second sees the first. Bytes may go on
 * flowing into other files; a commit into this one is waited for, and finds its attempt gone if it comes later.
 */
export async function changeFile(
  trx: Knex.Transaction,
  ref: SessionRef,
  key: Parameters<TransferStore["changeFile"]>[1],
  change: Parameters<TransferStore["changeFile"]>[2],
): ReturnType<TransferStore["changeFile"]> {
  const { session: before, now } = await lockSession(trx, ref, "change");
  const found = await lockFile(trx, before.id, key);
  const { session: changed, file: after, events } = change({ session: before, file: found }, now);

  const replaced = found !== undefined && found.id !== after?.id;
  if (replaced) await deleteFile(trx, found, now);
  let file = after;
  if (after !== undefined && after !== found) {
    file = found?.id === after.id ? await writeFile(trx, found, after, now) : await insertFile(trx, after);
  }
  if (changed === before && events.length === 0) return { session: before, file };
  return { session: await writeSessionChange(trx, before, { session: changed, events }, now), file };
}
