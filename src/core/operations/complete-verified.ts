// Completion of sessions some of whose content shares its bytes with files outside of the store.
import type { CoreDeps } from "../deps.js";
import { isUploadError } from "../error.js";
import type { Failure } from "../failure.js";
import type { SessionFile } from "../file.js";
import { moveFile } from "../file-state.js";
import type { Completion, CompletionView, SessionRef } from "../ports/metadata-store.js";
import { endSession, touchSession } from "../session.js";
import { changedError, readMark } from "./pull/link-content.js";
import type { SessionResult } from "./sessions.js";

/**
 * The deed of the metadata port, and before it ends a session a look at the content that was taken over from outside:
 * what was written to since it was hashed never becomes visible. Its file fails instead, and its session where the file
 * was declared so; then `decide` is asked again.
 */
export async function completeVerified(
  deps: CoreDeps,
  ref: SessionRef,
  decide: (view: CompletionView, now: Date) => Completion | undefined,
): Promise<SessionResult> {
  const unchanged = new Set<string>();
  for (;;) {
    let unverified: readonly SessionFile[] = [];
    let removes = false;
    const result = await deps.metadata.completeSession(ref, (view, now) => {
      const completion = decide(view, now);
      if (completion?.session.state !== "done") return completion;
      unverified = view.files.filter(({ linked }) => linked !== undefined && !unchanged.has(linked.contentId));
      if (unverified.length > 0) return undefined;
      const removals = view.files.flatMap(originalOf);
      removes = removals.length > 0;
      return { ...completion, removals };
    });
    if (removes) deps.pulls.wake();
    if (unverified.length === 0) return result;
    for (const file of unverified) await verify(deps, file, unchanged);
  }
}

/** What there is to remove once the file's content is visible: the original that it was taken over from. */
function originalOf({ source, linked, current }: SessionFile): NonNullable<Completion["removals"]> {
  if (source === undefined || linked === undefined || linked.contentId !== current?.id) return [];
  return [{ uri: source.address.uri, validator: linked.validator }];
}

async function verify(deps: CoreDeps, file: SessionFile, unchanged: Set<string>): Promise<void> {
  const { contentId, mark } = file.linked!;
  const extents = await deps.metadata.listExtents(contentId);
  const marks = await Promise.all(extents.map((extent) => readMark(deps, extent)));
  if (marks.length === 1 && marks[0] === mark) unchanged.add(contentId);
  else await failChanged(deps, file, contentId);
}

async function failChanged(deps: CoreDeps, changed: SessionFile, contentId: string): Promise<void> {
  const { tenantId, sessionId, id: fileId, source } = changed;
  const ref = { tenantId, sessionId };
  const { message, failure: reason } = changedError(source!.address);
  const failure: Failure = { reason: "source_failed", message, source: reason };
  let failsSession = false;
  try {
    await deps.metadata.changeFile(ref, { fileId }, ({ session, file }, now) => {
      failsSession = false;
      const touched = touchSession(session, "touch", now);
      if (file === undefined || file.linked?.contentId !== contentId || file.state !== "ready") {
        return { session, file, events: [] };
      }
      const state = moveFile(file, "lose");
      const failed = { ...file, state, failure, current: undefined, linked: undefined, modifiedAt: now };
      const details = { fileId, name: file.name, ...failure };
      failsSession = file.onFailure === "session";
      return { session: touched, file: failed, events: [{ type: "file.failed", details }] };
    });
    if (failsSession) await failSessionOf(deps, ref, `file ${JSON.stringify(changed.name)}: ${message}`);
  } catch (error) {
    // Then `decide` says what is the matter.
    if (!isUploadError(error, "not_found", "wrong_state", "expired")) throw error;
  }
}

/** A step of its own, for it needs the whole session: a death in between leaves it running, with a file that failed. */
async function failSessionOf(deps: CoreDeps, ref: SessionRef, message: string): Promise<void> {
  const failure: Failure = { reason: "file_failed", message };
  await deps.metadata.updateSession(ref, (session, now) => {
    const ended = endSession(session, "fail", now, failure);
    const details = { ...failure };
    return ended && { session: ended, events: [{ type: "session.failed", details }], releaseContent: true };
  });
  deps.seats.evictSession(ref.sessionId);
}
