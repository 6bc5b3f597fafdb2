import { assertPermission, type Call } from "../call.js";
import { itemNotFound } from "../catalog.js";
import type { CoreDeps } from "../deps.js";
import { UploadError } from "../error.js";
import type { SessionFile } from "../file.js";
import type { Limits } from "../limits.js";
import type { Completion, CompletionView } from "../ports/metadata-store.js";
import { assertVisible, endSession, type Session, touchSession } from "../session.js";
import { moveSession } from "../session-state.js";
import { type Attributes, parseAttributes } from "../values.js";
import { completeVerified } from "./complete-verified.js";
import { parseSessionRef, type SessionResult } from "./sessions.js";

const mostNamed = 100;

/**
 * Ends the session with all its files at once visible, and applied to the target item if there is one, whose content
 * version moves by one if anything changed; or changes nothing (P5). While files are still being fetched the session is
 * `completing` instead, and ends by itself (`settleSession`). A repeat answers `applied: false` (P4), and asks `change`
 * nothing. Throws
 * `not_found`, `wrong_state`, `expired`, and `incomplete` (FILES_INCOMPLETE) with the names of files that are neither
 * ready nor being fetched.
 */
export async function completeSession(
  deps: CoreDeps,
  input: { readonly sessionId: string; readonly change?: CompletionChange },
  call: Call,
): Promise<SessionResult> {
  assertPermission(call.caller, "upload");
  const ref = parseSessionRef(input, call);
  const askedAt = performance.now();
  const result = await completeVerified(deps, ref, (view, now) => {
    assertVisible(view.session, call.caller);
    const completion = planCompletion(view, now);
    return completion && changeBy(input.change, completion, view, deps.limits);
  });
  deps.observer.completed((performance.now() - askedAt) / 1000);
  if (result.session.state === "done") deps.seats.evictSession(ref.sessionId);
  return result;
}

/**
 * What a face makes of attributes by completion, in the same transaction: of the session's, and of each file's, which
 * become the item file's. Asked under the session's lock, maybe more than once; what it throws comes out and leaves the
 * session as it is.
 */
export type CompletionChange = (view: { readonly session: Session; readonly files: readonly SessionFile[] }) => {
  readonly session: Attributes;
  readonly file: (file: SessionFile) => Attributes;
};

function changeBy(
  change: CompletionChange | undefined,
  completion: Completion,
  view: CompletionView,
  limits: Limits,
): Completion {
  if (change === undefined) return completion;
  const changed = change(view);
  const attributes = parseAttributes(changed.session, limits);
  const files = view.files.map((file) => ({ id: file.id, attributes: parseAttributes(changed.file(file), limits) }));
  return { ...completion, session: { ...completion.session, attributes }, files };
}

/** What completion does, or undefined when it has been done or asked for. Pure. */
export function planCompletion(view: CompletionView, now: Date): Completion | undefined {
  const { session, files, item } = view;
  // Whether it may complete at all comes before what is missing: an ended session has nothing missing.
  if (moveSession(session, "complete", now) === "replay") return undefined;
  assertNoneMissing(files);
  if (session.itemId !== undefined && item === undefined) throw itemNotFound(session.itemId);
  if (files.every((file) => file.pull === undefined)) return applyFiles(view, "complete", now);
  moveSession(session, "defer", now);
  const waiting = { ...touchSession(session, "touch", now), state: "completing" as const };
  return { session: waiting, events: [{ type: "session.completing", details: {} }] };
}

/** The end of a session whose files are all ready, by `event`. Pure. */
export function applyFiles(view: CompletionView, event: "complete" | "settle", now: Date): Completion | undefined {
  const { session, files, item } = view;
  const ended = endSession(session, event, now);
  if (ended === undefined) return undefined;
  const completion: Completion = { session: ended, events: [{ type: "session.done", details: {} }] };
  if (item === undefined) return completion;

  const versions = new Map(view.itemFiles.map((file) => [file.name, file.version]));
  const put = files.map((file) => ({ file, version: (versions.get(file.name) ?? 0) + 1 }));
  const sent = new Set(files.map((file) => file.name));
  const remove = session.removals.filter((name) => versions.has(name) && !sent.has(name));
  if (put.length + remove.length === 0) return completion;
  return { ...completion, apply: { contentVersion: item.contentVersion + 1, put, remove } };
}

function isMissing(file: SessionFile): boolean {
  return file.state !== "ready" && file.pull === undefined;
}

function assertNoneMissing(files: readonly SessionFile[]): void {
  const missing = files.filter(isMissing).map((file) => file.name);
  if (missing.length === 0) return;
  throw new UploadError("incomplete", `${missing.length} of ${files.length} files are not ready`, {
    reason: "FILES_INCOMPLETE",
    missing: missing.slice(0, mostNamed),
  });
}

/**
 * What stands in the way of completion: files whose content has not come, and files whose content was wrong. What is
 * being fetched does not: completion waits for it.
 */
export interface Validation {
  readonly missing: readonly SessionFile[];
  readonly invalid: readonly SessionFile[];
}

/** Throws `not_found`, `wrong_state`, `expired`. */
export async function validateSession(deps: CoreDeps, input: { sessionId: string }, call: Call): Promise<Validation> {
  assertPermission(call.caller, "read");
  const ref = parseSessionRef(input, call);
  let found: Validation = { missing: [], invalid: [] };
  // Under the same lock as completion, so that the answer is of one moment; nothing is changed.
  await deps.metadata.completeSession(ref, (view, now) => {
    assertVisible(view.session, call.caller);
    moveSession(view.session, "touch", now);
    const failed = view.files.filter((file) => file.state === "failed");
    found = {
      missing: view.files.filter(isMissing).filter((file) => file.state !== "failed"),
      invalid: failed,
    };
    return undefined;
  });
  return found;
}
