// Items go with their files, and libraries with their items; a library is locked before its items.
import type { Knex } from "knex";
import { itemNotFound, libraryNotFound, type SessionRef, UploadError } from "../../core/index.js";
import { releaseAttempts } from "./attempts.js";
import { expireTokens } from "./client-tokens.js";
import { lockItem } from "./items.js";
import { isRunning } from "./sessions.js";
import { readNow } from "./transaction.js";

/** A query for items, which are locked when something is done to them. */
interface Named {
  readonly named: string;
  readonly bindings: readonly Knex.RawBinding[];
}

const itemsOfLibrary = "select id from items where library_id = ?";

/**
 * Sessions that run on these items. One whose deadline has passed can do nothing to its item any more, whether or not the
 * sweep has come by. As an array the items are looked for one by one in the index of what runs.
 */
const isBusyOn = (items: string) =>
  `item_id = any (array(${items})) and ${isRunning}
   and (expires_at is null or expires_at > (select clock_timestamp()))`;

export async function deleteItem(trx: Knex.Transaction, tenantId: string, id: string): Promise<void> {
  if ((await lockItem(trx, tenantId, id)) === undefined) throw itemNotFound(id);
  const items = { named: "select ?::uuid", bindings: [id] };
  await assertIdle(trx, items, `item ${id} has an open session`);
  await eraseItems(trx, items, await readNow(trx));
}

export async function deleteLibrary(
  trx: Knex.Transaction,
  tenantId: string,
  id: string,
  { withItems } = { withItems: false },
): Promise<void> {
  const row = await trx("libraries").where({ id, tenant_id: tenantId }).forUpdate().first("id");
  if (row === undefined) throw libraryNotFound(id);
  if (withItems) await deleteItemsOf(trx, id);
  else if (await trx("items").where({ library_id: id }).first("id")) throw busy(`library ${id} has items`);
  await expireTokens(trx, "subject_id", { named: "select ?::uuid", bindings: [id] }, await readNow(trx));
  await trx("libraries").where({ id }).delete();
}

export async function listBusySessions(
  db: Knex,
  tenantId: string,
  libraryId: string,
  limit: number,
): Promise<readonly SessionRef[]> {
  return db("sessions")
    .where({ tenant_id: tenantId })
    .whereRaw(isBusyOn(itemsOfLibrary), [libraryId])
    .limit(limit)
    .select({ tenantId: "tenant_id", sessionId: "id" });
}

/** The library is locked, so no item comes to it meanwhile. */
async function deleteItemsOf(trx: Knex.Transaction, libraryId: string): Promise<void> {
  await trx.raw("select from items where library_id = ? order by id for update", [libraryId]);
  const items = { named: itemsOfLibrary, bindings: [libraryId] };
  await assertIdle(trx, items, `library ${libraryId} has an item with an open session`);
  await eraseItems(trx, items, await readNow(trx));
}

async function assertIdle(trx: Knex.Transaction, { named, bindings }: Named, words: string): Promise<void> {
  const open = await trx("sessions").whereRaw(isBusyOn(named), bindings).first("id");
  if (open !== undefined) throw busy(words);
}

async function eraseItems(trx: Knex.Transaction, items: Named, now: Date): Promise<void> {
  const { named, bindings } = items;
  await releaseAttempts(trx, `select content_id from item_files where item_id in (${named})`, bindings, now);
  await expireTokens(trx, "subject_id", items, now);
  await trx("items").whereRaw(`id in (${named})`, bindings).delete();
}

function busy(message: string): UploadError {
  return new UploadError("busy", message, { reason: "ITEM_BUSY" });
}
