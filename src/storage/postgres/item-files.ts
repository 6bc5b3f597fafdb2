// Queries of the item_files table.
import type { Knex } from "knex";
import {
  type Completion,
  fileNotFound,
  type Item,
  type ItemFile,
  type ItemFileRef,
  type ItemMeasure,
  itemNotFound,
  sessionMember,
} from "../../core/index.js";
import { releaseAttempts } from "./attempts.js";
import { type ItemFileRow, itemFileFromRow } from "./catalog-rows.js";
import { getItem } from "./items.js";

const selectItemFiles = `
  select i.*, c.offset_bytes as content_size, c.checksums as content_checksums
  from item_files i join attempts c on c.id = i.content_id
  where i.item_id = ? and i.tenant_id = ?`;

export async function listItemFiles(
  db: Knex,
  tenantId: string,
  itemId: string,
  options: { readonly afterName?: string; readonly limit: number },
): Promise<readonly ItemFile[]> {
  const { rows } = await db.raw(
    `${selectItemFiles} and i.name > ? order by i.name limit ?`,
    // No name is empty, so all of them come after the empty one.
    [itemId, tenantId, options.afterName ?? "", options.limit],
  );
  if (rows.length === 0) await getItem(db, tenantId, itemId);
  return (rows as ItemFileRow[]).map(itemFileFromRow);
}

export async function getItemFile(db: Knex, tenantId: string, itemId: string, name: string): Promise<ItemFile> {
  const { rows } = await db.raw(`${selectItemFiles} and i.name = ?`, [itemId, tenantId, name]);
  if (rows.length === 1) return itemFileFromRow(rows[0] as ItemFileRow);
  await getItem(db, tenantId, itemId);
  throw fileNotFound(name);
}

export async function measureItem(db: Knex, tenantId: string, itemId: string): Promise<ItemMeasure> {
  const { rows } = await db.raw(
    `select count(c.id) as "fileCount", coalesce(sum(c.offset_bytes), 0)::bigint as "sizeBytes"
     from items left join item_files f on f.item_id = items.id left join attempts c on c.id = f.content_id
     where items.id = ? and items.tenant_id = ? group by items.id`,
    [itemId, tenantId],
  );
  if (rows.length === 0) throw itemNotFound(itemId);
  return rows[0];
}

export async function listItemFileRefs(db: Knex, itemId: string): Promise<readonly ItemFileRef[]> {
  return db("item_files").where({ item_id: itemId }).orderBy("name").select("name", "version");
}

/**
 * Makes a completed session's files the item's, in statements that do not grow in number with the files. The session
 * and the item are locked; what the item's files named until now is let go.
 */
export async function applyToItem(
  trx: Knex.Transaction,
  item: Item,
  sessionId: string,
  apply: NonNullable<Completion["apply"]>,
  now: Date,
): Promise<void> {
  const gone = JSON.stringify([...apply.remove, ...apply.put.map(({ file }) => file.name)]);
  const replaced = `select content_id from item_files
    where item_id = ? and name in (select jsonb_array_elements_text(?::jsonb))`;
  await releaseAttempts(trx, replaced, [item.id, gone], now);
  await trx("item_files")
    .where({ item_id: item.id })
    .whereRaw("name in (select jsonb_array_elements_text(?::jsonb))", [JSON.stringify(apply.remove)])
    .delete();
  const put = JSON.stringify(apply.put.map(({ file, version }) => ({ id: file.id, version })));
  const { rowCount } = await trx.raw(
    `insert into item_files
       (tenant_id, item_id, name, version, media_type, content_id, attributes, created_at, modified_at)
     select f.tenant_id, ?, f.name, put.version, f.media_type, f.current_attempt_id, f.attributes - ?::text, ?, ?
     from jsonb_to_recordset(?::jsonb) as put (id uuid, version bigint)
     join files f on f.id = put.id and f.session_id = ?
     on conflict (item_id, name) do update set
       version = excluded.version, media_type = excluded.media_type, content_id = excluded.content_id,
       attributes = excluded.attributes, modified_at = excluded.modified_at`,
    [item.id, sessionMember, now, now, put, sessionId],
  );
  if (rowCount !== apply.put.length) throw new TypeError(`${rowCount} of ${apply.put.length} files were applied`);
  const { contentVersion } = apply;
  await trx("items").where({ id: item.id }).update({ content_version: contentVersion, modified_at: now });
}
