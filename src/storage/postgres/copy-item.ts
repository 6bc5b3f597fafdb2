import type { Knex } from "knex";
import { type CreationToken, type Item, type ItemCopy, itemNotFound } from "../../core/index.js";
import { createOnce } from "./client-tokens.js";
import { getItem, insertItem, lockItem } from "./items.js";
import { holdLibrary } from "./libraries.js";

/**
 * The library before the source, as whoever deletes a library with its items locks them. The source is locked as
 * completion locks it, so each of its contents is named by it until the copy names it too: none of them can be swept.
 */
export async function copyItem(
  trx: Knex.Transaction,
  { sourceItemId, ...copy }: ItemCopy,
  once: CreationToken | undefined,
): Promise<Item> {
  const { tenantId, libraryId } = copy;
  return createOnce(
    trx,
    once && { tenantId, ...once },
    async () => {
      await holdLibrary(trx, tenantId, libraryId);
      const source = await lockItem(trx, tenantId, sourceItemId);
      if (source === undefined) throw itemNotFound(sourceItemId);
      const { description = source.description, type = source.type } = copy;
      const item = await insertItem(trx, { ...copy, description, type });
      await copyFiles(trx, sourceItemId, item);
      return item;
    },
    (id) => getItem(trx, tenantId, id),
  );
}

async function copyFiles(trx: Knex.Transaction, sourceItemId: string, { id, createdAt }: Item): Promise<void> {
  await trx.raw(
    `insert into item_files
       (tenant_id, item_id, name, version, media_type, content_id, attributes, created_at, modified_at)
     select tenant_id, ?, name, 1, media_type, content_id, attributes, ?, ? from item_files where item_id = ?`,
    [id, createdAt, createdAt, sourceItemId],
  );
}
