// Row <-> core value for who may come in.
import type { Knex } from "knex";
import type { AccessToken, Account, Audience, PageQuery, Role, Tenant, User } from "../../core/index.js";

export interface TenantRow {
  readonly id: string;
  readonly name: string;
  readonly created_at: Date;
}

export function tenantFromRow(row: TenantRow): Tenant {
  return { id: row.id, name: row.name, createdAt: row.created_at };
}

export interface UserRow extends TenantRow {
  readonly tenant_id: string;
  readonly role: Role;
  readonly modified_at: Date;
}

export function userFromRow(row: UserRow): User {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    role: row.role,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}

/** A user `u` and the tenant `t` in one row, in names that no other table has. */
export const accountColumns = `
  u.id as account_id, u.name as account_name, u.role as account_role, u.password as account_password,
  u.created_at as account_created_at, u.modified_at as account_modified_at,
  t.id as account_tenant_id, t.name as account_tenant_name, t.created_at as account_tenant_created_at`;

export interface AccountRow {
  readonly account_id: string;
  readonly account_name: string;
  readonly account_role: Role;
  readonly account_password: string | null;
  readonly account_created_at: Date;
  readonly account_modified_at: Date;
  readonly account_tenant_id: string;
  readonly account_tenant_name: string;
  readonly account_tenant_created_at: Date;
}

export function accountFromRow(row: AccountRow): Account {
  return {
    user: {
      id: row.account_id,
      tenantId: row.account_tenant_id,
      name: row.account_name,
      role: row.account_role,
      createdAt: row.account_created_at,
      modifiedAt: row.account_modified_at,
    },
    tenant: { id: row.account_tenant_id, name: row.account_tenant_name, createdAt: row.account_tenant_created_at },
    password: row.account_password ?? undefined,
  };
}

export interface TokenRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly user_id: string;
  readonly audience: Audience;
  readonly label: string;
  readonly idle_ttl_ms: number;
  readonly created_at: Date;
  readonly last_used_at: Date;
  readonly ends_at: Date | null;
}

export function tokenFromRow(row: TokenRow): AccessToken {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    userId: row.user_id,
    audience: row.audience,
    label: row.label,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    idleTtlMs: row.idle_ttl_ms,
    endsAt: row.ends_at ?? undefined,
  };
}

/** One row more than the page holds, newest first. */
export function pageRows<Row>(query: Knex.QueryBuilder, { limit, after }: PageQuery): Promise<Row[]> {
  if (after) query.andWhereRaw("(created_at, id) < (?::timestamptz, ?::uuid)", [after.createdAt, after.id]);
  return query
    .orderBy([
      { column: "created_at", order: "desc" },
      { column: "id", order: "desc" },
    ])
    .limit(limit + 1) as unknown as Promise<Row[]>;
}
