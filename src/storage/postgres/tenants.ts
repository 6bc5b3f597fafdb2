// Queries of the tenants table.
import type { Knex } from "knex";
import {
  defaultTenant,
  type Page,
  type PageQuery,
  pageOf,
  type Tenant,
  tenantNotFound,
  UploadError,
} from "../../core/index.js";
import { pageRows, type TenantRow, tenantFromRow } from "./identity-rows.js";
import { namedOnce } from "./libraries.js";

/** What keeps a tenant from being deleted; each has a column tenant_id. */
const holdings = ["sessions", "libraries", "blobs"];

export async function createTenant(db: Knex, tenant: Omit<Tenant, "createdAt">): Promise<Tenant> {
  const { id, name } = tenant;
  const insert = db("tenants").insert({ id, name }).returning("*");
  const [row] = await namedOnce(`tenant ${JSON.stringify(name)}`, insert);
  return tenantFromRow(row as TenantRow);
}

export async function ensureTenant(
  db: Knex,
  { id, name }: Omit<Tenant, "createdAt">,
): Promise<{ readonly tenant: Tenant; readonly applied: boolean }> {
  const [made]: TenantRow[] = await db("tenants").insert({ id, name }).onConflict("name").ignore().returning("*");
  if (made !== undefined) return { tenant: tenantFromRow(made), applied: true };
  const found = await findTenantByName(db, name);
  // It was there, and was deleted between the two statements.
  return found === undefined ? ensureTenant(db, { id, name }) : { tenant: found, applied: false };
}

export async function findTenantByName(db: Knex, name: string): Promise<Tenant | undefined> {
  const row: TenantRow | undefined = await db("tenants").where({ name }).first();
  return row && tenantFromRow(row);
}

export async function getTenant(db: Knex, id: string): Promise<Tenant> {
  const row: TenantRow | undefined = await db("tenants").where({ id }).first();
  if (row === undefined) throw tenantNotFound(id);
  return tenantFromRow(row);
}

export async function listTenants(db: Knex, page: PageQuery): Promise<Page<Tenant>> {
  return pageOf((await pageRows<TenantRow>(db("tenants"), page)).map(tenantFromRow), page.limit);
}

/** The lock keeps users from being added: their foreign key wants to share the row. */
export async function deleteTenant(trx: Knex.Transaction, id: string): Promise<void> {
  const row = await trx("tenants").where({ id }).forUpdate().first("name");
  if (row === undefined) throw tenantNotFound(id);
  if (row.name === defaultTenant) throw inUse(`tenant ${defaultTenant} cannot be deleted`);
  for (const table of holdings) {
    if (await trx(table).where({ tenant_id: id }).first("tenant_id")) throw inUse(`tenant ${id} has ${table}`);
  }
  await trx("records").where({ tenant_id: id }).delete();
  await trx("users").where({ tenant_id: id }).delete();
  await trx("tenants").where({ id }).delete();
}

function inUse(message: string): UploadError {
  return new UploadError("busy", message, { reason: "TENANT_IN_USE" });
}
