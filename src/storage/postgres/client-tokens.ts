// Queries of the client_tokens table.
import type { Knex } from "knex";
import { type SessionCreation, UploadError } from "../../core/index.js";

type TokenKey = Pick<SessionCreation, "tenantId" | "ownerId"> & {
  readonly clientToken: NonNullable<SessionCreation["clientToken"]>;
};

/**
 * Takes the token for a session to come, or answers the id of the session that it was given for. Waits while another
 * transaction has the same token in its hands. Throws `conflict` (CLIENT_TOKEN_REUSED) when it was given for something
 * else.
 */
export async function takeToken(
  trx: Knex.Transaction,
  key: TokenKey,
): Promise<{ readonly taken: true } | { readonly taken: false; readonly sessionId: string }> {
  const { operation, token, fingerprint } = key.clientToken;
  const { rows } = await trx.raw(
    `insert into client_tokens as stored (tenant_id, owner_id, operation, token, fingerprint)
     values (?, ?, ?, ?, ?)
     on conflict (tenant_id, owner_id, operation, token) do update
       set fingerprint = excluded.fingerprint, session_id = null, expires_at = null
       where stored.expires_at <= clock_timestamp()
     returning token`,
    [key.tenantId, key.ownerId, operation, token, fingerprint],
  );
  if (rows.length === 1) return { taken: true };
  const stored = await trx("client_tokens").where(placeOf(key)).first("fingerprint", "session_id");
  if (stored.fingerprint === fingerprint) return { taken: false, sessionId: stored.session_id };
  throw new UploadError("conflict", `client token ${JSON.stringify(token)} was used for another request`, {
    reason: "CLIENT_TOKEN_REUSED",
  });
}

export async function tieToken(trx: Knex.Transaction, key: TokenKey, sessionId: string): Promise<void> {
  await trx("client_tokens").where(placeOf(key)).update({ session_id: sessionId });
}

/** The tokens of a session that is deleted are remembered for another day, so that a late repeat creates nothing. */
export async function expireTokens(trx: Knex.Transaction, sessionId: string, now: Date): Promise<void> {
  await trx("client_tokens")
    .where({ session_id: sessionId })
    .update({ expires_at: new Date(now.getTime() + 24 * 3_600_000) });
}

function placeOf({ tenantId, ownerId, clientToken }: TokenKey) {
  const { operation, token } = clientToken;
  return { tenant_id: tenantId, owner_id: ownerId, operation, token };
}
