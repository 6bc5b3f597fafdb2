import { createId } from "../blob.js";
import { assertPermission, type Call } from "../call.js";
import type { CoreDeps } from "../deps.js";
import { UploadError } from "../error.js";
import {
  assertAttempt,
  assertMayFetch,
  attemptOf,
  buildFile,
  type FileSpecInput,
  isSameSpec,
  parseFileSpec,
  type SessionFile,
} from "../file.js";
import { moveFile } from "../file-state.js";
import { assertFileCount } from "../limits.js";
import { type Page, parsePage } from "../paging.js";
import type { FileView } from "../ports/transfer-store.js";
import { assertVisible, touchSession } from "../session.js";
import { moveSession } from "../session-state.js";
import { parseName } from "../values.js";
import { parseFileRef, storedBytes } from "./plan-part.js";
import { parseSessionRef } from "./sessions.js";
import { type FileInput, viewFile } from "./view-file.js";

export interface AddFileInput extends FileSpecInput {
  readonly sessionId: string;
  /**
   * What a name that the session has already means: the same file again (another spec is refused), or a new declaration
   * of it, or it is refused.
   */
  readonly onExisting?: "same" | "replace" | "refuse";
}

/**
 * Declares a file. Declaring it again in the same words answers the same file with `applied: false` (P4). Throws
 * `not_found`, `denied`, `invalid`, `unsupported`, `too_large`, `wrong_state`, `expired`, `already_exists`
 * (FILE_EXISTS), `too_many` (TOO_MANY_FILES).
 */
export async function addFile(
  deps: CoreDeps,
  input: AddFileInput,
  call: Call,
): Promise<FileView & { readonly applied: boolean }> {
  assertPermission(call.caller, "upload");
  const ref = parseSessionRef(input, call);
  const spec = parseFileSpec(input, deps.limits);
  assertMayFetch(spec, call.caller);
  const id = createId();
  let applied = true;
  const changed = await deps.metadata.changeFile(ref, { name: spec.name }, ({ session, file: existing }, now) => {
    assertVisible(session, call.caller);
    const touched = touchSession(session, "change", now);
    applied = true;
    if (existing !== undefined && input.onExisting !== "replace") {
      if (input.onExisting === "refuse") throw fileExists(spec.name);
      assertSameSpec(existing, spec);
      applied = false;
      return { session: touched, file: existing, events: [] };
    }
    const fileCount = session.fileCount + (existing === undefined ? 1 : 0);
    if (existing === undefined) assertFileCount(deps.limits, fileCount);
    const removals = session.removals.filter((name) => name !== spec.name);
    const declared = buildFile(existing?.id ?? id, spec, session, now);
    const file = existing === undefined ? declared : declareAnew(existing, declared);
    const details = { fileId: file.id, name: file.name };
    return { session: { ...touched, fileCount, removals }, file, events: [{ type: "file.added", details }] };
  });
  if (changed.file === undefined) throw new TypeError("a declared file was not stored");
  if (applied) deps.seats.evictFile(changed.file.id);
  if (applied && changed.file.pull !== undefined) deps.pulls.wake();
  return { session: changed.session, file: changed.file, applied };
}

/** What came of the file before stays until the new content is whole; what was for an attempt that never began is over. */
function declareAnew(existing: SessionFile, declared: SessionFile): SessionFile {
  const { current, createdAt } = existing;
  return { ...declared, state: moveFile(existing, "declare"), current, attempts: attemptOf(existing), createdAt };
}

function assertSameSpec(existing: SessionFile, spec: Parameters<typeof isSameSpec>[1]): void {
  // A size that was declared late is not part of the first declaration, so leaving it out again is no contradiction.
  const sizeBytes = spec.sizeBytes ?? existing.sizeBytes;
  if (!isSameSpec(existing, { ...spec, sizeBytes })) throw fileExists(spec.name);
}

function fileExists(name: string): UploadError {
  return new UploadError("already_exists", `the session has another file ${JSON.stringify(name)}`, {
    reason: "FILE_EXISTS",
  });
}

/** With its session. Throws `not_found`. */
export async function getFile(
  deps: CoreDeps,
  input: { readonly sessionId: string; readonly fileId: string },
  call: Call,
): Promise<FileView> {
  assertPermission(call.caller, "read");
  const { session, file } = await viewFile(deps, parseFileRef(input, call.caller), call);
  return { session, file };
}

/** The same, by the file's name. Throws `not_found`, `invalid`. */
export async function findFile(
  deps: CoreDeps,
  input: { readonly sessionId: string; readonly name: string },
  call: Call,
): Promise<FileView> {
  assertPermission(call.caller, "read");
  const ref = { ...parseSessionRef(input, call), name: parseName(input.name, "file name") };
  const { session, file } = await viewFile(deps, ref, call);
  return { session, file };
}

/** In the order in which they were added. Throws `not_found`, `invalid` (PAGE_INVALID). */
export async function listFiles(
  deps: CoreDeps,
  input: { readonly sessionId: string; readonly page: { size?: number; cursor?: string } },
  call: Call,
): Promise<Page<SessionFile>> {
  assertPermission(call.caller, "read");
  const ref = parseSessionRef(input, call);
  const page = parsePage(input.page);
  assertVisible(await deps.metadata.getSession(ref), call.caller);
  return deps.metadata.listFiles(ref, page);
}

/** Either where to go on sending from, or the file whose content is whole. */
export type UploadStatus =
  | { readonly kind: "offset"; readonly offset: number; readonly file: SessionFile }
  | { readonly kind: "finished"; readonly file: SessionFile };

/** Takes no seat and disturbs nobody (P7). Throws `not_found`, `wrong_state`, `expired`. */
export async function getUploadStatus(deps: CoreDeps, input: FileInput, call: Call): Promise<UploadStatus> {
  assertPermission(call.caller, "read");
  const { session, file, now } = await viewFile(deps, parseFileRef(input, call.caller), call);
  assertAttempt(file, input.attempt);
  // A session that was cancelled, failed or is overdue has let its content go, whatever the file says.
  moveSession(session, "complete", now);
  if (file.state === "ready") return { kind: "finished", file };
  moveSession(session, "change", now);
  return { kind: "offset", offset: storedBytes(file), file };
}
