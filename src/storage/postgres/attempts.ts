// Queries of the attempts and extents tables.
import type { Knex } from "knex";
import { type Attempt, type BlobKey, type Content, createId, type Extent } from "../../core/index.js";

export async function insertAttempt(
  trx: Knex.Transaction,
  of: { readonly tenantId: string; readonly number: number; readonly once: boolean | undefined },
): Promise<Attempt> {
  const { tenantId, number, once = false } = of;
  const attempt: Attempt = { id: createId(), number, epoch: 1, offset: 0 };
  await trx("attempts").insert({ id: attempt.id, tenant_id: tenantId, number, epoch: 1, offset_bytes: 0, once });
  return attempt;
}

/** Gives the attempt to another writer. The attempt's file is locked, so its numbers are the newest. */
export async function raiseEpoch(trx: Knex.Transaction, attempt: Attempt, once = false): Promise<Attempt> {
  const next = { ...attempt, epoch: attempt.epoch + 1 };
  await trx("attempts").where({ id: attempt.id }).update({ epoch: next.epoch, once });
  return next;
}

/**
 * Stores an extent, made or grown, and the offset that it brings the attempt to. What ends at or before the stored
 * offset adds nothing and is passed over, so the offset never falls (P2) and no extent leaves a hole.
 */
export async function storeExtent(
  trx: Knex.Transaction,
  attempt: { readonly id: string; readonly tenantId: string; readonly epoch: number; readonly offset: number },
  extent: Extent,
): Promise<number> {
  const end = extent.offset + extent.length;
  if (extent.epoch !== attempt.epoch) throw new TypeError(`an extent of epoch ${extent.epoch}, not ${attempt.epoch}`);
  if (extent.offset > attempt.offset)
    throw new TypeError(`an extent at ${extent.offset} after ${attempt.offset} bytes`);
  if (!Number.isSafeInteger(end)) throw new TypeError(`an extent that ends at ${end}`);
  if (end <= attempt.offset) return attempt.offset;
  const { rows } = await trx.raw(
    `with moved as (update attempts set offset_bytes = ? where id = ?)
     insert into extents as stored (tenant_id, attempt_id, epoch, offset_bytes, length_bytes, blob_key)
     values (?, ?, ?, ?, ?, ?)
     on conflict (attempt_id, epoch) do update set length_bytes = excluded.length_bytes
     where stored.blob_key = excluded.blob_key and stored.offset_bytes = excluded.offset_bytes
     returning epoch`,
    [end, attempt.id, attempt.tenantId, attempt.id, extent.epoch, extent.offset, extent.length, extent.blobKey],
  );
  if (rows.length === 0) throw new TypeError(`epoch ${extent.epoch} of attempt ${attempt.id} has another extent`);
  return end;
}

/** Makes a running attempt content; `offset` is how much of it is stored. */
export async function acceptAttempt(trx: Knex.Transaction, content: Content, attempt: Attempt): Promise<void> {
  if (content.id !== attempt.id || content.sizeBytes !== attempt.offset) {
    const claim = `${content.sizeBytes} bytes of ${content.id}`;
    throw new TypeError(`content of ${claim} was accepted, stored are ${attempt.offset} of ${attempt.id}`);
  }
  await trx("attempts")
    .where({ id: attempt.id })
    .update({ checksums: JSON.stringify(content.checksums), once: false });
}

interface ExtentRow {
  readonly epoch: number;
  readonly offset_bytes: number;
  readonly counted: number;
  readonly blob_key: BlobKey;
}

export async function listExtents(db: Knex, attemptId: string): Promise<readonly Extent[]> {
  const { rows } = await db.raw(
    `select * from (
       select e.epoch, e.offset_bytes, e.blob_key, least(
         e.length_bytes,
         lead(e.offset_bytes) over (order by e.offset_bytes, e.epoch) - e.offset_bytes,
         a.offset_bytes - e.offset_bytes
       ) as counted
       from extents e join attempts a on a.id = e.attempt_id
       where e.attempt_id = ?
     ) cut
     where counted > 0 order by offset_bytes`,
    [attemptId],
  );
  return (rows as ExtentRow[]).map((row) => ({
    epoch: row.epoch,
    offset: row.offset_bytes,
    length: row.counted,
    blobKey: row.blob_key,
  }));
}

export async function findReferencedKeys(db: Knex, keys: readonly BlobKey[]): Promise<ReadonlySet<BlobKey>> {
  const { rows } = await db.raw(
    `with asked as materialized (select jsonb_array_elements_text(?::jsonb) as blob_key)
     select blob_key from extents where blob_key in (select blob_key from asked) union all
     select blob_key from blobs where blob_key in (select blob_key from asked)`,
    [JSON.stringify(keys)],
  );
  return new Set((rows as ExtentRow[]).map((row) => row.blob_key));
}

/**
 * Marks the attempts that the query `named` answers for the sweep, which deletes those that nothing names any more.
 * Whoever stops naming an attempt calls this, even when something else still names it: of two that let go at the same
 * time neither can see the other. Locks in the order of ids.
 */
export async function releaseAttempts(
  trx: Knex.Transaction,
  named: string,
  bindings: readonly Knex.RawBinding[],
  now: Date,
): Promise<void> {
  await trx.raw(
    `update attempts set released_at = ? where id in (
       select id from attempts where id in (${named}) order by id for no key update
     )`,
    [now, ...bindings],
  );
}
