// Files that go: out of a session, and out of the item that it is about.
import { assertPermission, type Call } from "../call.js";
import { fileNotFound } from "../catalog.js";
import type { CoreDeps } from "../deps.js";
import { isUploadError } from "../error.js";
import type { SessionFile } from "../file.js";
import { assertVisible, touchSession } from "../session.js";
import { parseName } from "../values.js";
import { parseFileRef } from "./plan-part.js";
import { parseSessionRef } from "./sessions.js";

/**
 * Takes a file out of the session, with its bytes; a running writer is told. Throws `not_found`, `wrong_state`,
 * `expired`.
 */
export async function removeFile(
  deps: CoreDeps,
  input: { readonly sessionId: string; readonly fileId: string },
  call: Call,
): Promise<void> {
  assertPermission(call.caller, "upload");
  const ref = parseFileRef(input, call.caller);
  await deps.metadata.changeFile(ref, { fileId: ref.fileId }, ({ session, file }, now) => {
    assertVisible(session, call.caller);
    if (file === undefined) throw fileNotFound(ref.fileId);
    const touched = touchSession(session, "change", now);
    const details = { fileId: file.id, name: file.name };
    return {
      session: { ...touched, fileCount: session.fileCount - 1 },
      file: undefined,
      events: [{ type: "file.removed", details }],
    };
  });
  deps.seats.evictFile(ref.fileId);
}

/**
 * Says that completion takes the file with this name out of the target item. Throws `not_found` (no target item
 * included), `wrong_state`, `expired`.
 */
export async function removeItemFile(
  deps: CoreDeps,
  input: { readonly sessionId: string; readonly name: string },
  call: Call,
): Promise<void> {
  assertPermission(call.caller, "upload");
  const ref = parseSessionRef(input, call);
  const name = parseName(input.name, "file name");
  await deps.metadata.updateSession(ref, (session, now) => {
    assertVisible(session, call.caller);
    const touched = touchSession(session, "change", now);
    if (session.itemId === undefined) throw fileNotFound(name);
    if (session.removals.includes(name)) return undefined;
    const removals = [...session.removals, name];
    return { session: { ...touched, removals }, events: [{ type: "session.changed", details: { removed: name } }] };
  });
}

/**
 * Takes a name out of what completion makes of the target item: the session's file with its bytes, if it has one, and
 * the item's. Throws `not_found` where neither has one (any more), `wrong_state`, `expired`.
 */
export async function removeName(
  deps: CoreDeps,
  input: { readonly sessionId: string; readonly name: string },
  call: Call,
): Promise<void> {
  assertPermission(call.caller, "upload");
  const ref = parseSessionRef(input, call);
  const name = parseName(input.name, "file name");
  const seen = await deps.metadata.getSession(ref);
  assertVisible(seen, call.caller);
  const isOfItem = seen.itemId !== undefined && (await hasFile(deps, seen.tenantId, seen.itemId, name));
  let removed: SessionFile | undefined;
  await deps.metadata.changeFile(ref, { name }, ({ session, file }, now) => {
    assertVisible(session, call.caller);
    const touched = touchSession(session, "change", now);
    const isKept = isOfItem && !session.removals.includes(name);
    if (file === undefined && !isKept) throw fileNotFound(name);
    removed = file;
    const removals = isKept ? [...session.removals, name] : session.removals;
    const fileCount = session.fileCount - (file === undefined ? 0 : 1);
    const events = [
      ...(file === undefined ? [] : [{ type: "file.removed" as const, details: { fileId: file.id, name } }]),
      ...(isKept ? [{ type: "session.changed" as const, details: { removed: name } }] : []),
    ];
    return { session: { ...touched, fileCount, removals }, file: undefined, events };
  });
  if (removed !== undefined) deps.seats.evictFile(removed.id);
}

async function hasFile(deps: CoreDeps, tenantId: string, itemId: string, name: string): Promise<boolean> {
  try {
    await deps.metadata.getItemFile(tenantId, itemId, name);
    return true;
  } catch (error) {
    if (isUploadError(error, "not_found")) return false;
    throw error;
  }
}
