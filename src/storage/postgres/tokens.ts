// Queries of the tokens table. `expires_at` is the earlier of a token's two ends.
import type { Knex } from "knex";
import {
  type AccessToken,
  type FoundToken,
  type IdentityStore,
  type Page,
  type PageQuery,
  pageOf,
  type TokenCreation,
  tokenNotFound,
  userNotFound,
} from "../../core/index.js";
import {
  type AccountRow,
  accountColumns,
  accountFromRow,
  pageRows,
  type TokenRow,
  tokenFromRow,
} from "./identity-rows.js";

const isAlive = "expires_at > clock_timestamp()";

/** The user's row is shared until the commit: a change of the password waits, and then ends this token too. */
export async function createToken(trx: Knex.Transaction, token: TokenCreation): Promise<AccessToken> {
  const { id, userId, digest, audience, label, idleTtlMs, absoluteTtlMs = null, ifPassword = null } = token;
  const { rows } = await trx.raw(
    `insert into tokens (id, tenant_id, user_id, digest, audience, label, idle_ttl_ms,
                         created_at, last_used_at, ends_at, expires_at)
     select given.id, owner.tenant_id, owner.id, digest, audience, label, idle,
            now, now, now + absolute * interval '1 ms', now + least(idle, absolute) * interval '1 ms'
     from (values (?::uuid, ?::bytea, ?::text, ?::text, ?::float8, ?::float8, clock_timestamp()))
            as given (id, digest, audience, label, idle, absolute, now),
          (select id, tenant_id from users
           where id = ? and (?::text is null or password = ?::text) for share) owner
     returning *`,
    [id, Buffer.from(digest), audience, label, idleTtlMs, absoluteTtlMs, userId, ifPassword, ifPassword],
  );
  if (rows.length === 0) throw userNotFound(userId);
  return tokenFromRow(rows[0] as TokenRow);
}

export async function findToken(db: Knex, digest: Uint8Array): Promise<FoundToken | undefined> {
  return findAlive(db, "digest = ?", Buffer.from(digest));
}

export async function findTokenById(db: Knex, tokenId: string): Promise<FoundToken | undefined> {
  return findAlive(db, "tokens.id = ?", tokenId);
}

async function findAlive(db: Knex, condition: string, value: Knex.RawBinding): Promise<FoundToken | undefined> {
  const { rows } = await db.raw(
    `select tokens.*, ${accountColumns}, clock_timestamp()::timestamptz(3) as now
     from tokens join users u on u.id = tokens.user_id join tenants t on t.id = u.tenant_id
     where ${condition} and ${isAlive}`,
    [value],
  );
  const row: (TokenRow & AccountRow & { now: Date }) | undefined = rows[0];
  return row && { ...accountFromRow(row), token: tokenFromRow(row), now: row.now };
}

export async function listTokens(db: Knex, userId: string, page: PageQuery): Promise<Page<AccessToken>> {
  const rows = await pageRows<TokenRow>(db("tokens").where({ user_id: userId }).whereRaw(isAlive), page);
  return pageOf(rows.map(tokenFromRow), page.limit);
}

export async function deleteToken(
  trx: Knex.Transaction,
  id: string,
  owner: Parameters<IdentityStore["deleteToken"]>[1],
): Promise<AccessToken> {
  const [row]: TokenRow[] = await trx("tokens")
    .where({
      id,
      ...(owner.tenantId !== undefined && { tenant_id: owner.tenantId }),
      ...(owner.userId !== undefined && { user_id: owner.userId }),
    })
    .whereRaw(isAlive)
    .delete("*");
  if (row === undefined) throw tokenNotFound(id);
  return tokenFromRow(row);
}

export async function touchTokens(
  trx: Knex.Transaction,
  uses: Parameters<IdentityStore["touchTokens"]>[0],
): Promise<void> {
  await trx.raw(
    `update tokens
     set last_used_at = used.at, expires_at = least(used.at + idle_ttl_ms * interval '1 ms', ends_at)
     from (select (use ->> 'tokenId')::uuid as id, clock_timestamp() - (use ->> 'agoMs')::float8 * interval '1 ms' as at
           from jsonb_array_elements(?::jsonb) use offset 0) used
     where tokens.id = used.id and last_used_at < used.at and expires_at > used.at`,
    [JSON.stringify(uses)],
  );
}
