// Queries of the client_tokens table.
import type { Knex } from "knex";
import { type CreationToken, isUploadError, UploadError } from "../../core/index.js";

type TokenKey = CreationToken & { readonly tenantId: string };

/** What a token is tied to: a session, or something of the catalog. */
type Tie = "session_id" | "subject_id";

/**
 * Takes the token for something to come, or answers the id of what it was given for. Waits while another transaction has
 * the same token in its hands. Throws `conflict` (CLIENT_TOKEN_REUSED) when it was given for something
 * else.
 */
export async function takeToken(
  trx: Knex.Transaction,
  key: TokenKey,
): Promise<{ readonly taken: true } | { readonly taken: false; readonly thingId: string }> {
  const { operation, token, fingerprint } = key.clientToken;
  const { rows } = await trx.raw(
    `insert into client_tokens as stored (tenant_id, owner_id, operation, token, fingerprint)
     values (?, ?, ?, ?, ?)
     on conflict (tenant_id, owner_id, operation, token) do update
       set fingerprint = excluded.fingerprint, session_id = null, subject_id = null, expires_at = null
       where stored.expires_at <= clock_timestamp()
     returning token`,
    [key.tenantId, key.ownerId, operation, token, fingerprint],
  );
  if (rows.length === 1) return { taken: true };
  const stored = await trx("client_tokens").where(placeOf(key)).first("fingerprint", "session_id", "subject_id");
  if (stored.fingerprint === fingerprint) return { taken: false, thingId: stored.session_id ?? stored.subject_id };
  throw new UploadError("conflict", `client token ${JSON.stringify(token)} was used for another request`, {
    reason: "CLIENT_TOKEN_REUSED",
  });
}

export async function tieToken(trx: Knex.Transaction, key: TokenKey, tie: Tie, id: string): Promise<void> {
  await trx("client_tokens")
    .where(placeOf(key))
    .update({ [tie]: id });
}

/** What `create` makes; where there is a token that was given before, what `find` finds of the thing that it made. */
export async function createOnce<Thing extends { readonly id: string }>(
  trx: Knex.Transaction,
  key: TokenKey | undefined,
  create: () => Promise<Thing>,
  find: (id: string) => Promise<Thing>,
): Promise<Thing> {
  if (key === undefined) return create();
  const token = await takeToken(trx, key);
  if (!token.taken) return findMade(token.thingId, find);
  const made = await create();
  await tieToken(trx, key, "subject_id", made.id);
  return made;
}

/** What a token was given for; `find` throws where it is gone, and then the error says what it was. */
export async function findMade<Thing>(id: string, find: (id: string) => Promise<Thing>): Promise<Thing> {
  try {
    return await find(id);
  } catch (error) {
    if (!isUploadError(error, "not_found")) throw error;
    throw new UploadError(error.code, error.message, { ...error.details, made: id });
  }
}

/**
 * The tokens of things that are deleted are remembered for another day, so that a late repeat creates nothing. `named` is
 * a query for the ids of the things.
 */
export async function expireTokens(
  trx: Knex.Transaction,
  tie: Tie,
  { named, bindings }: { readonly named: string; readonly bindings: readonly Knex.RawBinding[] },
  now: Date,
): Promise<void> {
  await trx.raw(`update client_tokens set expires_at = ? where ${tie} in (${named})`, [
    new Date(now.getTime() + 24 * 3_600_000),
    ...bindings,
  ]);
}

function placeOf({ tenantId, ownerId, clientToken }: TokenKey) {
  const { operation, token } = clientToken;
  return { tenant_id: tenantId, owner_id: ownerId, operation, token };
}
