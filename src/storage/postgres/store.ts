// Queries of the store table: which folder of bytes this database belongs to.
import type { Knex } from "knex";

export async function findStore(db: Knex): Promise<string | undefined> {
  return (await db("store").first("store_id"))?.store_id;
}

export async function bindStore(trx: Knex.Transaction, storeId: string): Promise<string> {
  await trx.raw("insert into store (store_id) values (?) on conflict do nothing", [storeId]);
  const { store_id } = await trx("store").first("store_id");
  return store_id;
}
