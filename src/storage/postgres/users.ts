// Queries of the store, tenants and users tables.
import type { Knex } from "knex";
import { createId } from "../../core/index.js";

export async function findStore(db: Knex): Promise<string | undefined> {
  return (await db("store").first("store_id"))?.store_id;
}

export async function bindStore(trx: Knex.Transaction, storeId: string): Promise<string> {
  await trx.raw("insert into store (store_id) values (?) on conflict do nothing", [storeId]);
  const { store_id } = await trx("store").first("store_id");
  return store_id;
}

export async function ensureUser(
  trx: Knex.Transaction,
  tenantName: string,
  userName: string,
): Promise<{ readonly tenantId: string; readonly userId: string }> {
  const tenant = { name: tenantName };
  const tenantId = await ensureRow(trx, "tenants", tenant);
  const userId = await ensureRow(trx, "users", { tenant_id: tenantId, name: userName });
  return { tenantId, userId };
}

/**
 * The id of the row with these values. Looks first, as it nearly always is there, and again after another one may have
 * made it.
 */
async function ensureRow(trx: Knex.Transaction, table: string, values: object): Promise<string> {
  const found = await trx(table).where(values).first("id");
  if (found) return found.id;
  await trx(table)
    .insert({ id: createId(), ...values })
    .onConflict()
    .ignore();
  return (await trx(table).where(values).first("id")).id;
}
