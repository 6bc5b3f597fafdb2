// Queries of the blobs table.
import type { Knex } from "knex";
import {
  type Blob,
  type BlobIndex,
  type BlobKey,
  type BlobName,
  type BlobPlace,
  type BlobRef,
  blobNotFound,
  type FileRef,
  fileNotFound,
  formatBlobRef,
  type NewBlob,
  parseBlobRefText,
  type StoredBlob,
  UploadError,
} from "../../core/index.js";
import { releaseAttempts } from "./attempts.js";
import { findFile } from "./files.js";
import { type SessionRow, sessionFromRow } from "./rows.js";
import { getSession, sessionLocks } from "./sessions.js";
import { lockRow, readNow } from "./transaction.js";

interface BlobRow {
  readonly tenant_id: string;
  readonly ref: string;
  readonly size_bytes: number;
  readonly blob_key: BlobKey | null;
  readonly content_id: string | null;
  readonly created_at: Date;
}

type NewRow = Pick<BlobRow, "tenant_id" | "ref" | "size_bytes" | "blob_key" | "content_id">;

export async function findBlobs(db: Knex, names: readonly BlobName[]): Promise<readonly (Blob | undefined)[]> {
  const places = names.map(placeOf);
  const found = await findRows(db, places);
  return places.map((place) => found.get(keyOf(place)));
}

export async function insertBlobs(db: Knex, blobs: readonly NewBlob[]): Promise<readonly StoredBlob[]> {
  const rows = blobs.map((blob) => ({
    ...placeOf(blob),
    size_bytes: blob.sizeBytes,
    blob_key: blob.blobKey ?? null,
    content_id: null,
  }));
  return insertRows(db, rows);
}

export async function getBlob(db: Knex, name: BlobName): Promise<{ readonly blob: Blob; readonly place: BlobPlace }> {
  const row: BlobRow | undefined = await db("blobs").where(placeOf(name)).first();
  if (row === undefined) throw blobNotFound(name.ref);
  return { blob: blobFromRow(row), place: placeFromRow(row) };
}

export async function listBlobs(
  db: Knex,
  tenantId: string,
  { after = "", limit }: Parameters<BlobIndex["listBlobs"]>[1],
): Promise<readonly Blob[]> {
  // No ref is empty, so all of them come after the empty one.
  const rows = await db("blobs").where({ tenant_id: tenantId }).where("ref", ">", after).orderBy("ref").limit(limit);
  return (rows as BlobRow[]).map(blobFromRow);
}

/** Locks the rows in the order of their refs, so that two removals cannot wait for each other. */
export async function removeBlobs(trx: Knex.Transaction, tenantId: string, refs: readonly BlobRef[]): Promise<number> {
  const { rows } = await trx.raw(
    `with locked as materialized (
       select ref from blobs
       where tenant_id = ? and ref in (select jsonb_array_elements_text(?::jsonb)) order by ref for update
     )
     delete from blobs where tenant_id = ? and ref in (select ref from locked) returning content_id`,
    [tenantId, JSON.stringify(refs.map(formatBlobRef)), tenantId],
  );
  const contents = (rows as BlobRow[]).map((row) => row.content_id).filter((id) => id !== null);
  if (contents.length > 0) {
    const named = "select value::uuid from jsonb_array_elements_text(?::jsonb)";
    await releaseAttempts(trx, named, [JSON.stringify(contents)], await readNow(trx));
  }
  return rows.length;
}

/**
 * The session is held in `share` mode: nothing that would end or delete it, or take its content away, runs meanwhile,
 * so the content is still named by its file when the blob begins to name it.
 */
export async function publishFile(
  trx: Knex.Transaction,
  ref: FileRef,
  decide: Parameters<BlobIndex["publishFile"]>[1],
): Promise<StoredBlob> {
  const row = await lockRow<SessionRow>(
    trx,
    `select s.* from sessions s where s.id = ? and s.tenant_id = ? ${sessionLocks.share}`,
    [ref.sessionId, ref.tenantId],
  );
  // When there is none this says so.
  const session = row === undefined ? await getSession(trx, ref) : sessionFromRow(row);
  const file = await findFile(trx, ref.sessionId, ref.fileId);
  if (file === undefined) throw fileNotFound(ref.fileId);
  const publication = decide({ session, file }, row?.now ?? (await readNow(trx)));
  const { id, sizeBytes } = publication.content;
  const place = placeOf({ tenantId: ref.tenantId, ref: publication.ref });
  const [stored] = await insertRows(trx, [
    { ...place, size_bytes: sizeBytes, blob_key: null, content_id: sizeBytes === 0 ? null : id },
  ]);
  return stored!;
}

const mostRounds = 5;

/**
 * Inserts what is not there and answers for each row. A row that was there for the insertion and is not for the look
 * after it was removed in between: then it is inserted after all.
 */
async function insertRows(db: Knex, rows: readonly NewRow[]): Promise<readonly StoredBlob[]> {
  const answers = new Map<string, StoredBlob>();
  for (let round = 0; round < mostRounds; round++) {
    const open = rows.filter((row) => !answers.has(keyOf(row)));
    if (open.length === 0) break;
    const inserted = await insertMissing(db, open);
    for (const row of inserted) answers.set(keyOf(row), { blob: blobFromRow(row), applied: true });
    const there = open.filter((row) => !answers.has(keyOf(row)));
    if (there.length === 0) break;
    for (const [key, blob] of await findRows(db, there)) answers.set(key, { blob, applied: false });
  }
  const told = new Set<string>();
  return rows.map((row) => {
    const key = keyOf(row);
    const answer = answers.get(key);
    if (answer === undefined) {
      throw new UploadError("unavailable", `blob ${row.ref} comes and goes`, { reason: "DATABASE_UNAVAILABLE" });
    }
    const applied = answer.applied && !told.has(key);
    told.add(key);
    return { ...answer, applied };
  });
}

/** In the order of their keys, so that two insertions of the same blobs cannot wait for each other. */
async function insertMissing(db: Knex, rows: readonly NewRow[]): Promise<readonly BlobRow[]> {
  const { rows: inserted } = await db.raw(
    `insert into blobs (tenant_id, ref, size_bytes, blob_key, content_id, created_at)
     select tenant_id, ref, size_bytes, blob_key, content_id, clock_timestamp()
     from jsonb_to_recordset(?::jsonb)
       as put (tenant_id uuid, ref text, size_bytes bigint, blob_key text, content_id uuid)
     order by tenant_id, ref collate "C"
     on conflict (tenant_id, ref) do nothing
     returning tenant_id, ref, size_bytes, created_at`,
    [JSON.stringify(rows)],
  );
  return inserted;
}

async function findRows(
  db: Knex,
  places: readonly Pick<BlobRow, "tenant_id" | "ref">[],
): Promise<ReadonlyMap<string, Blob>> {
  const asked = places.map(({ tenant_id, ref }) => ({ tenant_id, ref }));
  const { rows } = await db.raw(
    `select b.tenant_id, b.ref, b.size_bytes, b.created_at
     from jsonb_to_recordset(?::jsonb) as asked (tenant_id uuid, ref text)
     join blobs b on b.tenant_id = asked.tenant_id and b.ref = asked.ref`,
    [JSON.stringify(asked)],
  );
  return new Map((rows as BlobRow[]).map((row) => [keyOf(row), blobFromRow(row)]));
}

function placeOf({ tenantId, ref }: BlobName) {
  return { tenant_id: tenantId, ref: formatBlobRef(ref) };
}

function keyOf({ tenant_id, ref }: Pick<BlobRow, "tenant_id" | "ref">): string {
  return `${tenant_id} ${ref}`;
}

function blobFromRow(row: BlobRow): Blob {
  return { ref: parseBlobRefText(row.ref), sizeBytes: row.size_bytes, createdAt: row.created_at };
}

function placeFromRow(row: BlobRow): BlobPlace {
  if (row.blob_key !== null) return { kind: "key", blobKey: row.blob_key };
  return row.content_id === null ? { kind: "nowhere" } : { kind: "content", contentId: row.content_id };
}
