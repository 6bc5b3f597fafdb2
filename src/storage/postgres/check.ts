// What a check of the store asks, over all tenants, and the few deeds by which it repairs.
import type { Knex } from "knex";
import {
  type BlobKey,
  type BlobName,
  type BlobPlace,
  type CheckStore,
  type Checksum,
  type ContentOwner,
  type Extent,
  formatBlobRef,
  mostOwners,
  type NamedContent,
  type PlacedBlob,
  parseBlobRefText,
} from "../../core/index.js";

interface ContentRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly tenant_name: string;
  readonly offset_bytes: number;
  readonly whole: boolean;
  readonly checksums: readonly Checksum[] | null;
  readonly extents: readonly Extent[];
  readonly other_size_bytes: number | null;
  readonly owners: readonly (
    | Exclude<ContentOwner, { kind: "blob" }>
    | { readonly kind: "blob"; readonly ref: string }
  )[];
}

const namedWhole = `(
  exists (select from files where current_attempt_id = a.id)
  or exists (select from item_files where content_id = a.id)
  or exists (select from blobs where content_id = a.id)
)`;
const named = `(${namedWhole} or exists (select from files where running_attempt_id = a.id))`;

/** As `listExtents` cuts them. */
const extentsOf = `
  select coalesce(jsonb_agg(jsonb_build_object(
    'epoch', epoch, 'offset', offset_bytes, 'length', counted, 'blobKey', blob_key
  ) order by offset_bytes), '[]')
  from (
    select e.epoch, e.offset_bytes, e.blob_key, least(
      e.length_bytes,
      lead(e.offset_bytes) over (order by e.offset_bytes, e.epoch) - e.offset_bytes,
      a.offset_bytes - e.offset_bytes
    ) as counted
    from extents e where e.attempt_id = a.id
  ) cut where counted > 0`;

const ownersOf = `
  select coalesce(jsonb_agg(owner), '[]') from (
    select jsonb_build_object('kind', 'file', 'sessionId', session_id, 'fileId', id, 'name', name) as owner
    from files where current_attempt_id = a.id or running_attempt_id = a.id
    union all
    select jsonb_build_object('kind', 'item_file', 'itemId', item_id, 'name', name)
    from item_files where content_id = a.id
    union all
    select jsonb_build_object('kind', 'blob', 'ref', ref) from blobs where content_id = a.id
    limit ${mostOwners}
  ) named`;

const otherSizeOf = `
  select size_bytes from files
  where current_attempt_id = a.id and state = 'ready' and size_bytes <> a.offset_bytes limit 1`;

const selectContents = `
  select a.id, a.tenant_id, coalesce(t.name, '') as tenant_name, a.offset_bytes, a.checksums, ${namedWhole} as whole,
    (${extentsOf}) as extents, (${ownersOf}) as owners, (${otherSizeOf}) as other_size_bytes
  from attempts a left join tenants t on t.id = a.tenant_id`;

export async function listNamedContents(
  db: Knex,
  { after, limit }: Parameters<CheckStore["listNamedContents"]>[0],
): Promise<readonly NamedContent[]> {
  const { rows } = await db.raw(
    `${selectContents} where ${after === undefined ? "" : "a.id > ? and"} ${named} order by a.id limit ?`,
    [...(after === undefined ? [] : [after]), limit],
  );
  return (rows as ContentRow[]).map(contentFromRow);
}

export async function findNamedContent(db: Knex, contentId: string): Promise<NamedContent | undefined> {
  const { rows } = await db.raw(`${selectContents} where a.id = ? and ${named}`, [contentId]);
  return rows[0] && contentFromRow(rows[0]);
}

function contentFromRow(row: ContentRow): NamedContent {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    tenantName: row.tenant_name,
    sizeBytes: row.offset_bytes,
    whole: row.whole,
    checksums: row.checksums ?? undefined,
    extents: row.extents,
    otherSizeBytes: row.other_size_bytes ?? undefined,
    owners: row.owners.map((owner) => (owner.kind === "blob" ? { ...owner, ref: parseBlobRefText(owner.ref) } : owner)),
  };
}

interface BlobRow {
  readonly tenant_id: string;
  readonly tenant_name: string;
  readonly ref: string;
  readonly size_bytes: number;
  readonly blob_key: BlobKey | null;
  readonly content_id: string | null;
  readonly content_bytes: number | null;
  readonly content_checksums: readonly Checksum[] | null;
}

const selectBlobs = `
  select b.tenant_id, coalesce(t.name, '') as tenant_name, b.ref, b.size_bytes, b.blob_key, b.content_id,
    a.offset_bytes as content_bytes, a.checksums as content_checksums
  from blobs b left join tenants t on t.id = b.tenant_id left join attempts a on a.id = b.content_id`;

export async function listPlacedBlobs(
  db: Knex,
  { after, limit }: Parameters<CheckStore["listPlacedBlobs"]>[0],
): Promise<readonly PlacedBlob[]> {
  const { rows } = await db.raw(
    `${selectBlobs} ${after === undefined ? "" : "where (b.tenant_id, b.ref) > (?::uuid, ?::text)"}
     order by b.tenant_id, b.ref limit ?`,
    [...(after === undefined ? [] : [after.tenantId, after.ref]), limit],
  );
  return (rows as BlobRow[]).map(placedFromRow);
}

export async function findPlacedBlob(db: Knex, name: BlobName): Promise<PlacedBlob | undefined> {
  const { rows } = await db.raw(`${selectBlobs} where b.tenant_id = ? and b.ref = ?`, [
    name.tenantId,
    formatBlobRef(name.ref),
  ]);
  return rows[0] && placedFromRow(rows[0]);
}

function placedFromRow(row: BlobRow): PlacedBlob {
  const { content_bytes: sizeBytes, content_checksums: checksums } = row;
  return {
    tenantId: row.tenant_id,
    tenantName: row.tenant_name,
    ref: parseBlobRefText(row.ref),
    sizeBytes: row.size_bytes,
    place: placeOf(row),
    content: sizeBytes === null ? undefined : { sizeBytes, checksums: checksums ?? undefined },
  };
}

function placeOf(row: Pick<BlobRow, "blob_key" | "content_id">): BlobPlace {
  if (row.blob_key !== null) return { kind: "key", blobKey: row.blob_key };
  return row.content_id === null ? { kind: "nowhere" } : { kind: "content", contentId: row.content_id };
}

/** No index leads from a digest to content: this is asked for damaged content only. */
export async function listCopies(
  db: Knex,
  { tenantId, sha256, sizeBytes, limit }: Parameters<CheckStore["listCopies"]>[0],
): Promise<readonly BlobPlace[]> {
  const { rows } = await db.raw(
    `select blob_key, null::uuid as content_id from blobs
     where tenant_id = ? and ref = ? and size_bytes = ? and blob_key is not null
     union all
     (select null, id from attempts a
      where tenant_id = ? and offset_bytes = ? and checksums @> ?::jsonb and ${named} order by id limit ?)`,
    [
      ...[tenantId, formatBlobRef({ algorithm: "sha256", digest: sha256 }), sizeBytes],
      ...[tenantId, sizeBytes, JSON.stringify([{ algorithm: "sha256", value: sha256 }]), limit],
    ],
  );
  return (rows as BlobRow[]).map(placeOf);
}

/** The attempt is locked as a commit locks it, so that it is neither swept nor changed meanwhile. */
export async function replaceContent(
  trx: Knex.Transaction,
  { contentId, sizeBytes, from, to }: Parameters<CheckStore["replaceContent"]>[0],
): Promise<boolean> {
  const attempt = await trx("attempts")
    .where({ id: contentId, offset_bytes: sizeBytes })
    .whereNotNull("checksums")
    .forNoKeyUpdate()
    .first("tenant_id", "epoch");
  const keys = new Set<BlobKey>(await trx("extents").where({ attempt_id: contentId }).pluck("blob_key"));
  if (attempt === undefined || !from.every((key) => keys.has(key))) return false;
  await trx("extents").where({ attempt_id: contentId }).delete();
  await trx("extents").insert({
    tenant_id: attempt.tenant_id,
    attempt_id: contentId,
    epoch: attempt.epoch,
    offset_bytes: 0,
    length_bytes: sizeBytes,
    blob_key: to,
  });
  return true;
}

export async function replaceBlobKey(db: Knex, name: BlobName, from: BlobKey, to: BlobKey): Promise<boolean> {
  return (await whereKept(db, name, from).update({ blob_key: to })) === 1;
}

export async function dropBlob(db: Knex, name: BlobName, blobKey: BlobKey): Promise<boolean> {
  return (await whereKept(db, name, blobKey).delete()) === 1;
}

function whereKept(db: Knex, { tenantId, ref }: BlobName, blobKey: BlobKey) {
  return db("blobs").where({ tenant_id: tenantId, ref: formatBlobRef(ref), blob_key: blobKey });
}
