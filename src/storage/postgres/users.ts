// Queries of the users table.
import type { Knex } from "knex";
import {
  type Account,
  createId,
  defaultTenant,
  firstAdministrator,
  type IdentityStore,
  type Page,
  type PageQuery,
  pageOf,
  tenantNotFound,
  UploadError,
  type User,
  type UserChange,
  type UserRef,
  userNotFound,
} from "../../core/index.js";
import { isForeignKeyViolation } from "./errors.js";
import {
  type AccountRow,
  accountColumns,
  accountFromRow,
  pageRows,
  type UserRow,
  userFromRow,
} from "./identity-rows.js";
import { namedOnce } from "./libraries.js";

export async function ensureUser(
  trx: Knex.Transaction,
  tenantName: string,
  userName: string,
): Promise<{ readonly tenantId: string; readonly userId: string }> {
  const tenantId = await ensureRow(trx, "tenants", { name: tenantName });
  const userId = await ensureRow(trx, "users", { tenant_id: tenantId, name: userName }, { role: "uploader" });
  return { tenantId, userId };
}

/**
 * The id of the row with these values. Looks first, as it nearly always is there, and again after another one may have
 * made it.
 */
async function ensureRow(trx: Knex.Transaction, table: string, values: object, more: object = {}): Promise<string> {
  const found = await trx(table).where(values).first("id");
  if (found) return found.id;
  await trx(table)
    .insert({ id: createId(), ...values, ...more })
    .onConflict()
    .ignore();
  return (await trx(table).where(values).first("id")).id;
}

export async function lacksAdministrator(db: Knex): Promise<boolean> {
  const { rows } = await db.raw(
    `select not exists (
       select from users u join tenants t on t.id = u.tenant_id
       where t.name = ? and u.role = 'admin' and (u.password is not null or exists (
         select from tokens where user_id = u.id and expires_at > clock_timestamp()
       ))
     ) as lacking`,
    [defaultTenant],
  );
  return rows[0].lacking;
}

export async function createFirstAdministrator(trx: Knex.Transaction, password: string): Promise<boolean> {
  const tenantId = await ensureRow(trx, "tenants", { name: defaultTenant });
  await lockTenant(trx, tenantId);
  if (!(await lacksAdministrator(trx))) return false;
  await trx.raw(
    `insert into users (id, tenant_id, name, role, password) values (?, ?, ?, 'admin', ?)
     on conflict (tenant_id, name) do update
       set role = excluded.role, password = excluded.password, modified_at = clock_timestamp()`,
    [createId(), tenantId, firstAdministrator, password],
  );
  return true;
}

export async function createUser(
  trx: Knex.Transaction,
  user: Parameters<IdentityStore["createUser"]>[0],
): Promise<Account> {
  const { id, tenantId, name, role, password = null } = user;
  const insert = trx("users").insert({ id, tenant_id: tenantId, name, role, password });
  try {
    await namedOnce(`user ${JSON.stringify(name)}`, insert);
  } catch (error) {
    if (isForeignKeyViolation(error)) throw tenantNotFound(tenantId);
    throw error;
  }
  return readAccount(trx, id);
}

const accounts = `select ${accountColumns} from users u join tenants t on t.id = u.tenant_id`;

export async function findAccount(db: Knex, { userId, tenantId }: UserRef): Promise<Account | undefined> {
  const ofTenant = tenantId === undefined ? "" : "and u.tenant_id = ?";
  const bindings = tenantId === undefined ? [userId] : [userId, tenantId];
  const { rows } = await db.raw(`${accounts} where u.id = ? ${ofTenant}`, bindings);
  return rows[0] && accountFromRow(rows[0] as AccountRow);
}

export async function findAccountByName(db: Knex, tenantName: string, userName: string): Promise<Account | undefined> {
  const { rows } = await db.raw(`${accounts} where t.name = ? and u.name = ?`, [tenantName, userName]);
  return rows[0] && accountFromRow(rows[0] as AccountRow);
}

export async function listUsers(db: Knex, tenantId: string, page: PageQuery): Promise<Page<User>> {
  const rows = await pageRows<UserRow>(db("users").where({ tenant_id: tenantId }), page);
  return pageOf(rows.map(userFromRow), page.limit);
}

export async function updateUser(trx: Knex.Transaction, ref: UserRef, change: UserChange): Promise<Account> {
  const before = await lockAccount(trx, ref);
  const { user } = before;
  const { role = user.role, password, ifPassword, keepTokenId } = change;
  if (ifPassword !== undefined && ifPassword !== before.password) throw userNotFound(user.id);
  if (role !== "admin") await assertNotLast(trx, before);
  await trx("users")
    .where({ id: user.id })
    .update({ role, ...(password !== undefined && { password }), modified_at: trx.raw("clock_timestamp()") });
  if (password !== undefined) {
    const ended = trx("tokens").where({ user_id: user.id });
    if (keepTokenId !== undefined) ended.andWhereNot({ id: keepTokenId });
    await ended.delete();
  }
  return readAccount(trx, user.id);
}

export async function deleteUser(trx: Knex.Transaction, ref: UserRef): Promise<Account> {
  const account = await lockAccount(trx, ref);
  await assertNotLast(trx, account);
  await trx("users").where({ id: account.user.id }).delete();
  return account;
}

async function readAccount(trx: Knex.Transaction, userId: string): Promise<Account> {
  const account = await findAccount(trx, { userId });
  if (account === undefined) throw userNotFound(userId);
  return account;
}

/** The user, who stays as read until the transaction ends, as do the roles of all others in the tenant. */
async function lockAccount(trx: Knex.Transaction, ref: UserRef): Promise<Account> {
  const account = await findAccount(trx, ref);
  if (account === undefined) throw userNotFound(ref.userId);
  await lockTenant(trx, account.tenant.id);
  await trx("users").where({ id: account.user.id }).forNoKeyUpdate().first("id");
  return readAccount(trx, account.user.id);
}

async function lockTenant(trx: Knex.Transaction, id: string): Promise<void> {
  await trx("tenants").where({ id }).forNoKeyUpdate().first("id");
}

async function assertNotLast(trx: Knex.Transaction, { user, tenant }: Account): Promise<void> {
  if (tenant.name !== defaultTenant || user.role !== "admin") return;
  const other = await trx("users").where({ tenant_id: tenant.id, role: "admin" }).whereNot({ id: user.id }).first("id");
  if (other === undefined) {
    throw new UploadError("busy", `user ${user.id} is the last administrator of the tenant ${defaultTenant}`, {
      reason: "LAST_ADMINISTRATOR",
    });
  }
}
