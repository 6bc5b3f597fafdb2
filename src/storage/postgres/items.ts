// Queries of the items and item_aliases tables.
import type { Knex } from "knex";
import {
  type CatalogStore,
  type CreationToken,
  type Item,
  type ItemField,
  itemNotFound,
  type Page,
  type PageQuery,
  type Predicate,
  pageOf,
} from "../../core/index.js";
import { type ItemRow, itemFromRow, rowFromItem } from "./catalog-rows.js";
import { createOnce } from "./client-tokens.js";
import { holdLibrary, namedOnce } from "./libraries.js";
import { type FieldTable, selectPage } from "./predicate.js";
import { readNow } from "./transaction.js";

const fields: FieldTable<ItemField> = {
  id: { column: "id", kind: "id" },
  libraryId: { column: "library_id", kind: "id" },
  name: { column: "name", kind: "text" },
  type: { column: "type", kind: "text" },
  createdAt: { column: "created_at", kind: "time" },
  modifiedAt: { column: "modified_at", kind: "time" },
};

const columns = `items.*, coalesce((
    select jsonb_agg(jsonb_build_object('kind', kind, 'value', value) order by ordinal)
    from item_aliases where item_id = items.id
  ), '[]') as aliases`;

export async function findItem(db: Knex, tenantId: string, id: string): Promise<Item | undefined> {
  const { rows } = await db.raw(`select ${columns} from items where id = ? and tenant_id = ?`, [id, tenantId]);
  return rows[0] && itemFromRow(rows[0] as ItemRow);
}

export async function getItem(db: Knex, tenantId: string, id: string): Promise<Item> {
  const item = await findItem(db, tenantId, id);
  if (item === undefined) throw itemNotFound(id);
  return item;
}

/** Locks the item and then reads it: its aliases change under this lock only. */
export async function lockItem(trx: Knex.Transaction, tenantId: string, id: string): Promise<Item | undefined> {
  const row = await trx("items").where({ id, tenant_id: tenantId }).forUpdate().first("id");
  return row && findItem(trx, tenantId, id);
}

export async function findItemByAlias(
  db: Knex,
  tenantId: string,
  kind: string,
  value: string,
): Promise<Item | undefined> {
  const { rows } = await db.raw(
    `select ${columns} from items
     where id = (select item_id from item_aliases where tenant_id = ? and kind = ? and value = ?)`,
    [tenantId, kind, value],
  );
  return rows[0] && itemFromRow(rows[0] as ItemRow);
}

export async function listItems(
  db: Knex,
  tenantId: string,
  predicate: Predicate<ItemField>,
  page: PageQuery,
): Promise<Page<Item>> {
  const rows: ItemRow[] = await selectPage(db, "items", { tenantId, predicate, fields, page }, columns);
  return pageOf(rows.map(itemFromRow), page.limit);
}

export async function createItem(
  trx: Knex.Transaction,
  input: Parameters<CatalogStore["createItem"]>[0],
  once: CreationToken | undefined,
): Promise<Item> {
  const { tenantId, libraryId } = input;
  return createOnce(
    trx,
    once && { tenantId, ...once },
    async () => {
      await holdLibrary(trx, tenantId, libraryId);
      return insertItem(trx, input);
    },
    (id) => getItem(trx, tenantId, id),
  );
}

/** The library is held. */
export async function insertItem(
  trx: Knex.Transaction,
  input: Parameters<CatalogStore["createItem"]>[0],
): Promise<Item> {
  const now = await readNow(trx);
  const item: Item = { ...input, createdAt: now, modifiedAt: now };
  await namedOnce(`item ${JSON.stringify(item.name)}`, trx("items").insert(rowFromItem(item)));
  await insertAliases(trx, item);
  return item;
}

export async function updateItem(
  trx: Knex.Transaction,
  tenantId: string,
  id: string,
  change: (item: Item, now: Date) => Item,
): Promise<Item> {
  const before = await lockItem(trx, tenantId, id);
  if (before === undefined) throw itemNotFound(id);
  const { createdAt, contentVersion } = before;
  const after: Item = { ...change(before, await readNow(trx)), id, tenantId, createdAt, contentVersion };
  if (after.libraryId !== before.libraryId) await holdLibrary(trx, tenantId, after.libraryId);
  await namedOnce(`item ${JSON.stringify(after.name)}`, trx("items").where({ id }).update(rowFromItem(after)));
  if (JSON.stringify(after.aliases) === JSON.stringify(before.aliases)) return after;
  await trx("item_aliases").where({ item_id: id }).delete();
  await insertAliases(trx, after);
  return after;
}

async function insertAliases(trx: Knex.Transaction, item: Item): Promise<void> {
  if (item.aliases.length === 0) return;
  const rows = item.aliases.map(({ kind, value }, ordinal) => {
    return { tenant_id: item.tenantId, item_id: item.id, kind, value, ordinal };
  });
  await namedOnce("item with one of these aliases", trx("item_aliases").insert(rows));
}
