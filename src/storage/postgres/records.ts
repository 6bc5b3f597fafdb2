// Queries of the records table. An expired record is not there, whether or not it was swept.
import type { Knex } from "knex";
import { type DialectRecord, type RecordChange, UploadError } from "../../core/index.js";
import { type RecordRow, recordFromRow } from "./catalog-rows.js";
import { escapeLike } from "./predicate.js";

const isAlive = "(expires_at is null or expires_at > clock_timestamp())";

export async function findRecord(
  db: Knex,
  tenantId: string,
  namespace: string,
  key: string,
): Promise<DialectRecord | undefined> {
  const row = await db("records").where({ tenant_id: tenantId, namespace, key }).whereRaw(isAlive).first();
  return row && recordFromRow(row as RecordRow);
}

export async function listRecords(
  db: Knex,
  tenantId: string,
  namespace: string,
  options: { readonly prefix: string; readonly afterKey?: string; readonly limit: number },
): Promise<readonly DialectRecord[]> {
  const rows = db("records")
    .where({ tenant_id: tenantId, namespace })
    .whereRaw("key like ?", [`${escapeLike(options.prefix)}%`])
    .whereRaw(isAlive)
    .orderBy("key")
    .limit(options.limit);
  if (options.afterKey !== undefined) rows.andWhere("key", ">", options.afterKey);
  return ((await rows) as RecordRow[]).map(recordFromRow);
}

/**
 * Throws `conflict` (RECORD_CHANGED). Rows are locked in the order of their keys, so that two deeds cannot wait for
 * each other.
 */
export async function changeRecords(
  trx: Knex.Transaction,
  tenantId: string,
  changes: readonly RecordChange[],
): Promise<void> {
  const place = ({ namespace, key }: RecordChange) => `${namespace}\0${key}`;
  for (const change of [...changes].sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0))) {
    const applied = change.value === undefined ? deleteRecord(trx, tenantId, change) : putRecord(trx, tenantId, change);
    if (await applied) continue;
    throw new UploadError("conflict", `record ${JSON.stringify(change.key)} has changed meanwhile`, {
      reason: "RECORD_CHANGED",
    });
  }
}

async function putRecord(trx: Knex.Transaction, tenantId: string, change: RecordChange): Promise<boolean> {
  const { namespace, key, expect } = change;
  const value = JSON.stringify(change.value);
  const expiresAt = change.expiresAt ?? null;
  if (expect !== undefined && expect > 0) {
    const updated = await trx("records")
      .where({ tenant_id: tenantId, namespace, key, version: expect })
      .whereRaw(isAlive)
      .update({ value, version: expect + 1, expires_at: expiresAt });
    return updated === 1;
  }
  const isStoredAlive = "(stored.expires_at is null or stored.expires_at > clock_timestamp())";
  const { rows } = await trx.raw(
    `insert into records as stored (tenant_id, namespace, key, value, version, expires_at)
     values (?, ?, ?, ?, 1, ?)
     on conflict (tenant_id, namespace, key) do update set
       value = excluded.value, expires_at = excluded.expires_at,
       version = case when ${isStoredAlive} then stored.version + 1 else 1 end
     ${expect === 0 ? `where not ${isStoredAlive}` : ""}
     returning version`,
    [tenantId, namespace, key, value, expiresAt],
  );
  return rows.length === 1;
}

async function deleteRecord(trx: Knex.Transaction, tenantId: string, change: RecordChange): Promise<boolean> {
  const { namespace, key, expect } = change;
  const record = trx("records").where({ tenant_id: tenantId, namespace, key });
  if (expect === undefined) {
    await record.delete();
    return true;
  }
  if (expect > 0) return (await record.where({ version: expect }).whereRaw(isAlive).delete()) === 1;
  return (await record.whereRaw(isAlive).forUpdate().first("version")) === undefined;
}
