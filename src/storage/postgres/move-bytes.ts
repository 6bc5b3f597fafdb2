// Deeds of bytes flowing into a file: who may write it, how far it has come, and its end.
import type { Knex } from "knex";
import {
  type ClaimedFile,
  type ExtentCommit,
  type FileRef,
  type FileState,
  type FileView,
  fileNotFound,
  fileStates,
  type Session,
  type SessionFile,
  type TransferStore,
  UploadError,
} from "../../core/index.js";
import { acceptAttempt, insertAttempt, raiseEpoch, storeExtent } from "./attempts.js";
import { insertEvents } from "./events.js";
import { getFile, releaseFiles, writeFile, writeFilePull, writeSize } from "./files.js";
import { type SessionRow, sessionFromRow } from "./rows.js";
import { writeSessionChange } from "./session-change.js";
import { assertRunning, getSession, keepAlive, type SessionLock, sessionLocks, writeActivity } from "./sessions.js";
import { lockRow, readNow } from "./transaction.js";

type AttemptRef = ExtentCommit["attempt"];

export async function claimWriter(
  trx: Knex.Transaction,
  ref: FileRef,
  decide: Parameters<TransferStore["claimWriter"]>[1],
): Promise<ClaimedFile> {
  const { session: found, now } = await lockFileForBytes(trx, ref);
  const session = await keepAlive(trx, found, now);
  const before = await getFile(trx, ref.sessionId, ref.fileId);
  const claim = decide({ session, file: before }, now);
  if (claim.seat === "none") return { session, file: before, attempt: undefined };
  const resumed = claim.seat === "resume" ? before.running : undefined;
  const attempt = resumed
    ? await raiseEpoch(trx, resumed, claim.once)
    : await insertAttempt(trx, { tenantId: ref.tenantId, number: before.attempts + 1, once: claim.once });
  const attempts = resumed ? before.attempts : before.attempts + 1;
  const file = await writeFile(trx, before, { ...claim.file, running: attempt, attempts }, now);
  return { session, file, attempt };
}

export async function commitExtent(trx: Knex.Transaction, commit: ExtentCommit): Promise<void> {
  const { attempt, extent, sizeBytes } = commit;
  const { session, now, offset } = await lockSeat(trx, attempt, "share");
  await keepAlive(trx, session, now);
  const { attemptId, tenantId, epoch } = attempt;
  if (extent !== undefined) await storeExtent(trx, { id: attemptId, tenantId, epoch, offset }, extent);
  if (sizeBytes !== undefined) await writeSize(trx, attempt.fileId, sizeBytes);
}

/** The change may be told in the history, so the session is locked for `change`. */
export async function changePull(
  trx: Knex.Transaction,
  ref: AttemptRef,
  decide: Parameters<TransferStore["changePull"]>[1],
): Promise<FileView> {
  const { session, now } = await lockSeat(trx, ref, "change");
  const before = await getFile(trx, ref.sessionId, ref.fileId);
  if (before.pull === undefined) throw superseded(ref);
  const { pull, events } = decide({ session, file: before, pull: before.pull }, now);
  const file = { ...before, pull };
  await writeFilePull(trx, before, file);
  await insertEvents(trx, session, events, now);
  return { session: await writeActivity(trx, session, events.length, now), file };
}

/**
 * An end is told in the history, so the session is locked for `change` at least: taking that lock only then would be
 * out of order.
 */
export async function finishAttempt(
  trx: Knex.Transaction,
  ref: AttemptRef,
  options: Parameters<TransferStore["finishAttempt"]>[1],
  decide: Parameters<TransferStore["finishAttempt"]>[2],
): Promise<FileView> {
  const { session, now, offset } = await lockSeat(trx, ref, options.lockSession ? "state" : "change");
  const { attemptId, tenantId, epoch } = ref;
  if (options.extent) await storeExtent(trx, { id: attemptId, tenantId, epoch, offset }, options.extent);
  const before = await getFile(trx, ref.sessionId, ref.fileId);

  const others = options.countOthers ? await countOthers(trx, before) : noFiles;
  const outcome = decide({ session, file: before, others }, now);
  const { accepted, events, releaseContent = false } = outcome;
  if (accepted) await acceptAttempt(trx, accepted, before.running!);
  const current = accepted ?? outcome.file.current;
  let file: SessionFile = { ...outcome.file, current, running: undefined };
  if (releaseContent) file = { ...file, current: undefined };
  file = await writeFile(trx, before, file, now);
  if (outcome.session) {
    if (!options.lockSession) throw new TypeError("a session was changed that is not locked");
    const change = { session: outcome.session, events, releaseContent };
    return { session: await writeSessionChange(trx, session, change, now), file };
  }
  if (releaseContent) await releaseFiles(trx, session.id, now);
  await insertEvents(trx, session, events, now);
  return { session: await writeActivity(trx, session, events.length, now), file };
}

const noFiles = Object.fromEntries(fileStates.map((state) => [state, 0])) as Record<FileState, number>;

async function countOthers(trx: Knex.Transaction, file: SessionFile): Promise<Record<FileState, number>> {
  const { rows } = await trx.raw(
    "select state, count(*)::int as files from files where session_id = ? and id <> ? group by state",
    [file.sessionId, file.id],
  );
  const counted = (rows as { state: FileState; files: number }[]).map(({ state, files }) => [state, files]);
  return { ...noFiles, ...Object.fromEntries(counted) };
}

export async function listBrokenAttempts(
  db: Knex,
  { afterFileId, limit }: Parameters<TransferStore["listBrokenAttempts"]>[0],
): ReturnType<TransferStore["listBrokenAttempts"]> {
  const found = db("attempts as a")
    .join("files as f", "f.running_attempt_id", "a.id")
    .join("sessions as s", "s.id", "f.session_id")
    .where({ "s.state": "active" })
    .whereRaw("a.once")
    .orderBy("f.id")
    .limit(limit)
    .select({
      tenantId: "f.tenant_id",
      sessionId: "f.session_id",
      fileId: "f.id",
      attemptId: "a.id",
      epoch: "a.epoch",
      origin: "s.origin",
    });
  if (afterFileId !== undefined) found.andWhere("f.id", ">", afterFileId);
  return found;
}

/** Locks the session for `share` and then the file. Throws `not_found`. */
async function lockFileForBytes(
  trx: Knex.Transaction,
  ref: FileRef,
): Promise<{ readonly session: Session; readonly now: Date }> {
  const row = await lockRow<SessionRow>(
    trx,
    // Locks are taken in the order of these clauses.
    `select s.* from sessions s join files f on f.session_id = s.id
     where s.id = ? and s.tenant_id = ? and f.id = ?
     for key share of s for update of f`,
    [ref.sessionId, ref.tenantId, ref.fileId],
  );
  if (row !== undefined) return { session: sessionFromRow(row), now: row.now };
  await getSession(trx, ref);
  throw fileNotFound(ref.fileId);
}

/**
 * Locks session, file and attempt, in this order, for the writer that holds this seat, and answers the attempt's
 * offset. Every row is found by its id, so that each is the newest even when its lock was waited for. Throws what the
 * port says of a seat that is lost.
 */
async function lockSeat(
  trx: Knex.Transaction,
  ref: AttemptRef,
  lock: SessionLock,
): Promise<{ readonly session: Session; readonly now: Date; readonly offset: number }> {
  const row = await lockRow<SessionRow & SeatRow>(
    trx,
    `select s.*, f.running_attempt_id, a.epoch as attempt_epoch, a.offset_bytes as attempt_offset
     from sessions s join files f on f.session_id = s.id join attempts a on a.id = ?
     where s.id = ? and s.tenant_id = ? and f.id = ?
     ${sessionLocks[lock]} of s for update of f for no key update of a`,
    [ref.attemptId, ref.sessionId, ref.tenantId, ref.fileId],
  );
  if (row === undefined) {
    assertRunning(await getSession(trx, ref), await readNow(trx));
    throw superseded(ref);
  }
  const session = sessionFromRow(row);
  assertRunning(session, row.now);
  if (row.running_attempt_id !== ref.attemptId || row.attempt_epoch !== ref.epoch) throw superseded(ref);
  return { session, now: row.now, offset: row.attempt_offset };
}

interface SeatRow {
  readonly running_attempt_id: string | null;
  readonly attempt_epoch: number;
  readonly attempt_offset: number;
}

function superseded(ref: AttemptRef): UploadError {
  return new UploadError("superseded", `a newer writer has taken over file ${ref.fileId}`, {
    reason: "WRITER_SUPERSEDED",
  });
}
