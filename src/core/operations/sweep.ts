import type { BlobKey } from "../blob.js";
import type { CoreDeps } from "../deps.js";
import { isUploadError } from "../error.js";
import { endSession } from "../session.js";
import { tellUntoldEnds } from "./fail-broken-attempts.js";

/** What one sweep did. */
export interface SweepReport {
  readonly expiredSessions: number;
  readonly forgottenSessions: number;
  readonly releasedContents: number;
  readonly expiredRecords: number;
  readonly trashedKeys: number;
  readonly restoredKeys: number;
  readonly deletedKeys: number;
}

export interface SweepOptions {
  /**
   * Bytes that nobody names go to the trash when they are older than this, and for good after `keepTrashMs` there (P8).
   */
  readonly keepUnreferencedMs: number;
  readonly keepTrashMs: number;
}

export const defaultSweep: SweepOptions = { keepUnreferencedMs: 24 * 3_600_000, keepTrashMs: 7 * 24 * 3_600_000 };

const batch = 200;

/** Ends what has broken or expired and forgets what is over: the rows, in small transactions. */
export async function sweepRows(
  deps: CoreDeps,
): Promise<Pick<SweepReport, "expiredSessions" | "forgottenSessions" | "releasedContents" | "expiredRecords">> {
  const { metadata } = deps;
  await tellUntoldEnds(deps);
  return {
    expiredSessions: await expireSessions(deps),
    forgottenSessions: await repeat(() => metadata.deleteForgottenSessions(batch)),
    releasedContents: await repeat(() => metadata.deleteReleasedContent(batch)),
    expiredRecords: await repeat(() => metadata.deleteExpiredRecords(batch)),
  };
}

async function repeat(deed: () => Promise<number>): Promise<number> {
  let total = 0;
  for (;;) {
    const handled = await deed();
    total += handled;
    if (handled < batch) return total;
  }
}

async function expireSessions(deps: CoreDeps): Promise<number> {
  let expired = 0;
  for (;;) {
    const overdue = await deps.metadata.listOverdueSessions(batch);
    let moved = 0;
    for (const ref of overdue) {
      try {
        const { applied } = await deps.metadata.updateSession(ref, (session, now) => {
          const message = "the session has expired: nothing happened before its deadline";
          const failure = { reason: "expired" as const, message };
          const ended = endSession(session, "expire", now, failure);
          return (
            ended && { session: ended, events: [{ type: "session.failed", details: failure }], releaseContent: true }
          );
        });
        if (applied) {
          moved++;
          deps.seats.evictSession(ref.sessionId);
        }
      } catch (error) {
        // It was kept alive, ended or deleted between the look and the lock.
        if (!isUploadError(error, "wrong_state", "not_found")) throw error;
      }
    }
    expired += moved;
    if (overdue.length < batch || moved === 0) return expired;
  }
}

/**
 * Collects bytes that no row names: into the trash when they are old enough, out of it for good after its time, and
 * back from it whenever a row turns out to name them after all (P8).
 */
export async function sweepBytes(
  deps: CoreDeps,
  options: SweepOptions,
): Promise<Pick<SweepReport, "trashedKeys" | "restoredKeys" | "deletedKeys">> {
  const { blobs, clock } = deps;
  const now = clock.now().getTime();
  let trashedKeys = 0;
  let restoredKeys = 0;
  let deletedKeys = 0;
  const old = { writtenBefore: new Date(now - options.keepUnreferencedMs), batchSize: batch };
  for await (const keys of blobs.listKeys(old)) {
    const { trashed, restored } = await trashUnnamed(deps, keys);
    trashedKeys += trashed;
    restoredKeys += restored;
  }
  // Whatever its age: a database that was put back may name what another one did not.
  for await (const keys of blobs.listTrash({ trashedBefore: new Date(8.64e15), batchSize: batch })) {
    const { named } = await split(deps, keys);
    await blobs.restoreFromTrash(named);
    restoredKeys += named.length;
  }
  const over = { trashedBefore: new Date(now - options.keepTrashMs), batchSize: batch };
  for await (const keys of blobs.listTrash(over)) {
    const { named, unnamed } = await split(deps, keys);
    await blobs.restoreFromTrash(named);
    await blobs.deleteFromTrash(unnamed);
    restoredKeys += named.length;
    deletedKeys += unnamed.length;
  }
  return { trashedKeys, restoredKeys, deletedKeys };
}

/**
 * Moves those of the keys that no row names to the trash; one that turns out to be named after all comes back at once.
 * Answers how many went, and how many came back.
 */
export async function trashUnnamed(
  deps: CoreDeps,
  keys: readonly BlobKey[],
): Promise<{ readonly trashed: number; readonly restored: number }> {
  const { unnamed } = await split(deps, keys);
  if (unnamed.length === 0) return { trashed: 0, restored: 0 };
  await deps.blobs.moveToTrash(unnamed);
  const { named, unnamed: gone } = await split(deps, unnamed);
  await deps.blobs.restoreFromTrash(named);
  return { trashed: gone.length, restored: named.length };
}

async function split(deps: CoreDeps, keys: readonly BlobKey[]): Promise<{ named: BlobKey[]; unnamed: BlobKey[] }> {
  const referenced = await deps.metadata.findReferencedKeys(keys);
  return {
    named: keys.filter((key) => referenced.has(key)),
    unnamed: keys.filter((key) => !referenced.has(key)),
  };
}

/** One whole sweep. */
export async function sweep(deps: CoreDeps, options: SweepOptions): Promise<SweepReport> {
  const rows = await sweepRows(deps);
  return { ...rows, ...(await sweepBytes(deps, options)) };
}
