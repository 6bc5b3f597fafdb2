// Queries of the files table.
import type { Knex } from "knex";
import {
  type Completion,
  type FileProgress,
  type FileRef,
  type FileView,
  fileNotFound,
  type NamedFileRef,
  type Page,
  type PageQuery,
  pageOf,
  type SessionFile,
  type SessionRef,
  UploadError,
} from "../../core/index.js";
import { releaseAttempts } from "./attempts.js";
import { isUniqueViolation } from "./errors.js";
import { endPulls, writePull } from "./pulls.js";
import { type FileRow, fileFromRow, rowFromFile, type SessionJson, sessionFromJson } from "./rows.js";
import { getSession } from "./sessions.js";

/** A file with the attempts that it names, wherever `files f` is joined with `attemptsOfFile`. */
export const fileColumns = `f.*, c.offset_bytes as current_size, c.checksums as current_checksums,
  r.number as running_number, r.epoch as running_epoch, r.offset_bytes as running_offset`;
export const attemptsOfFile = `
  left join attempts c on c.id = f.current_attempt_id
  left join attempts r on r.id = f.running_attempt_id`;
const selectFiles = `select ${fileColumns} from files f ${attemptsOfFile}`;

/** In one statement, so that the session and its file are of one moment. */
export async function viewFile(db: Knex, ref: FileRef | NamedFileRef): Promise<FileView & { readonly now: Date }> {
  const [column, value] = "fileId" in ref ? ["id", ref.fileId] : ["name", ref.name];
  const { rows } = await db.raw(
    `select ${fileColumns}, to_jsonb(s) as session, clock_timestamp()::timestamptz(3) as now
     from files f ${attemptsOfFile} join sessions s on s.id = f.session_id
     where s.id = ? and s.tenant_id = ? and f.${column} = ?`,
    [ref.sessionId, ref.tenantId, value],
  );
  const row: (FileRow & { readonly session: SessionJson; readonly now: Date }) | undefined = rows[0];
  if (row !== undefined) return { session: sessionFromJson(row.session), file: fileFromRow(row), now: row.now };
  await getSession(db, ref);
  throw fileNotFound(value);
}

/**
 * As it is now. Under a lock on the file, ask in a statement after the one that locks: the attempts are as this
 * statement sees them.
 */
export async function findFile(db: Knex, sessionId: string, fileId: string): Promise<SessionFile | undefined> {
  const { rows } = await db.raw(`${selectFiles} where f.session_id = ? and f.id = ?`, [sessionId, fileId]);
  return rows[0] && fileFromRow(rows[0] as FileRow);
}

export async function getFile(db: Knex, sessionId: string, fileId: string): Promise<SessionFile> {
  const file = await findFile(db, sessionId, fileId);
  if (file === undefined) throw fileNotFound(fileId);
  return file;
}

/** Locks the file's row and then reads it; undefined when there is none. */
export async function lockFile(
  trx: Knex.Transaction,
  sessionId: string,
  key: { readonly fileId: string } | { readonly name: string },
): Promise<SessionFile | undefined> {
  const found = "fileId" in key ? { id: key.fileId } : { name: key.name };
  const row = await trx("files")
    .where({ session_id: sessionId, ...found })
    .forUpdate()
    .first("id");
  return row && findFile(trx, sessionId, row.id);
}

/** All of a session's files. */
export async function findFiles(db: Knex, sessionId: string): Promise<readonly SessionFile[]> {
  const { rows } = await db.raw(`${selectFiles} where f.session_id = ? order by f.created_at, f.id`, [sessionId]);
  return (rows as FileRow[]).map(fileFromRow);
}

export async function listFiles(db: Knex, ref: SessionRef, page: PageQuery): Promise<Page<SessionFile>> {
  const { limit, after } = page;
  const { rows } = await db.raw(
    `${selectFiles} where f.session_id = ? and f.tenant_id = ?
     ${after ? "and (f.created_at, f.id) > (?::timestamptz, ?::uuid)" : ""}
     order by f.created_at, f.id limit ?`,
    [ref.sessionId, ref.tenantId, ...(after ? [after.createdAt, after.id] : []), limit + 1],
  );
  if (rows.length === 0) await getSession(db, ref);
  return pageOf((rows as FileRow[]).map(fileFromRow), limit);
}

export async function listProgress(db: Knex, ref: SessionRef, limit: number): Promise<readonly FileProgress[]> {
  return db("files as f")
    .join("attempts as r", "r.id", "f.running_attempt_id")
    .where({ "f.session_id": ref.sessionId, "f.tenant_id": ref.tenantId })
    .where("r.offset_bytes", ">", 0)
    .orderBy("f.id")
    .limit(limit)
    .select({ fileId: "f.id", offset: "r.offset_bytes" });
}

/**
 * The session's row is locked for `change`. Each file is created at least a millisecond after the ones before it, so
 * that the order of creation is the order in which they were added. Throws `already_exists` (FILE_EXISTS).
 */
export async function insertFile(trx: Knex.Transaction, file: SessionFile): Promise<SessionFile> {
  const newest = trx("files").where({ session_id: file.sessionId }).max("created_at");
  const createdAt = trx.raw("greatest(?::timestamptz, (?) + interval '1 millisecond')", [file.createdAt, newest]);
  const row = { ...rowFromFile(file), created_at: createdAt };
  const inserted = await namedOnce(file, trx("files").insert(row).returning("created_at"));
  await writePull(trx, undefined, file);
  return { ...file, createdAt: inserted[0].created_at };
}

/** Few enough that their values can be bound in one statement. */
const mostInserted = 1_000;

/** The files of a session that is made in the same transaction; their names differ. */
export async function insertFiles(trx: Knex.Transaction, files: readonly SessionFile[]): Promise<void> {
  for (let at = 0; at < files.length; at += mostInserted) {
    await trx("files").insert(files.slice(at, at + mostInserted).map(rowFromFile));
  }
  for (const file of files) await writePull(trx, undefined, file);
}

/**
 * Writes a locked file as it shall be and lets go of the attempts that it named before and does not name now. Throws
 * `already_exists` (FILE_EXISTS).
 */
export async function writeFile(
  trx: Knex.Transaction,
  before: SessionFile,
  after: SessionFile,
  now: Date,
): Promise<SessionFile> {
  const { id, tenant_id, session_id, created_at, ...columns } = rowFromFile(after);
  await namedOnce(after, trx("files").where({ id: before.id }).update(columns));
  await writePull(trx, before, after);
  await releaseDropped(trx, before, after, now);
  return { ...after, createdAt: before.createdAt };
}

export async function interruptValidations(trx: Knex.Transaction): Promise<number> {
  return trx("files").where({ state: "validating" }).update({ state: "transferring" });
}

/** How the content of a locked file is fetched. */
export async function writeFilePull(trx: Knex.Transaction, before: SessionFile, after: SessionFile): Promise<void> {
  await trx("files")
    .where({ id: after.id })
    .update({ pull: rowFromFile(after).pull });
  await writePull(trx, before, after);
}

/** The size of a locked file that had none. */
export async function writeSize(trx: Knex.Transaction, fileId: string, sizeBytes: number): Promise<void> {
  await trx("files").where({ id: fileId }).update({ size_bytes: sizeBytes });
}

/** Of files whose session is locked for `state`. */
export async function writeFileAttributes(
  trx: Knex.Transaction,
  sessionId: string,
  files: NonNullable<Completion["files"]>,
): Promise<void> {
  await trx.raw(
    `update files set attributes = changed.attributes
     from jsonb_to_recordset(?::jsonb) as changed (id uuid, attributes jsonb)
     where files.id = changed.id and files.session_id = ?`,
    [JSON.stringify(files), sessionId],
  );
}

export async function deleteFile(trx: Knex.Transaction, file: SessionFile, now: Date): Promise<void> {
  await trx("files").where({ id: file.id }).delete();
  await releaseDropped(trx, file, undefined, now);
}

/** Takes all content from the session's files and lets it go; nothing of them is to be fetched any more. */
export async function releaseFiles(trx: Knex.Transaction, sessionId: string, now: Date): Promise<void> {
  await releaseAttempts(trx, attemptsOfSession, [sessionId, sessionId], now);
  await trx("files")
    .where({ session_id: sessionId })
    .whereRaw("(current_attempt_id is not null or running_attempt_id is not null or pull is not null)")
    .update({ current_attempt_id: null, running_attempt_id: null, pull: null });
  await endPulls(trx, sessionId);
}

/** The ids of all attempts that a session's files name; the session's id is bound twice. */
export const attemptsOfSession = `
  select current_attempt_id from files where session_id = ? union all
  select running_attempt_id from files where session_id = ?`;

async function releaseDropped(
  trx: Knex.Transaction,
  before: SessionFile,
  after: SessionFile | undefined,
  now: Date,
): Promise<void> {
  const kept = [after?.current?.id, after?.running?.id];
  const dropped = [before.current?.id, before.running?.id].filter((id) => id !== undefined && !kept.includes(id));
  if (dropped.length === 0) return;
  const ids = JSON.stringify(dropped);
  await releaseAttempts(trx, "select value::uuid from jsonb_array_elements_text(?::jsonb)", [ids], now);
}

async function namedOnce<T>(file: SessionFile, query: PromiseLike<T>): Promise<T> {
  try {
    return await query;
  } catch (error) {
    if (!isUniqueViolation(error, "files_name")) throw error;
    const name = JSON.stringify(file.name);
    throw new UploadError("already_exists", `the session has another file ${name}`, { reason: "FILE_EXISTS" }, error);
  }
}
