import { assertPermission, type Call } from "../call.js";
import { fileNotFound } from "../catalog.js";
import type { CoreDeps } from "../deps.js";
import type { Failure } from "../failure.js";
import type { SessionFile } from "../file.js";
import { moveFile } from "../file-state.js";
import { assertVisible, touchSession } from "../session.js";
import { parseFileRef } from "./plan-part.js";

/**
 * Fails a file whose sender contradicts what was declared; it can be sent again. What had come of the running attempt is
 * let go, and content that was whole stays until there is newer. Does nothing where `when`, asked under the file's lock,
 * says that it is not about this file any more. Throws `not_found`, `wrong_state`, `expired`.
 */
export async function refuseFile(
  deps: CoreDeps,
  input: {
    readonly sessionId: string;
    readonly fileId: string;
    readonly failure: Failure;
    readonly when: (file: SessionFile) => boolean;
  },
  call: Call,
): Promise<void> {
  assertPermission(call.caller, "upload");
  const ref = parseFileRef(input, call.caller);
  const { failure } = input;
  let isRefused = false;
  await deps.metadata.changeFile(ref, { fileId: ref.fileId }, ({ session, file }, now) => {
    assertVisible(session, call.caller);
    if (file === undefined) throw fileNotFound(ref.fileId);
    isRefused = input.when(file);
    if (!isRefused) return { session, file, events: [] };
    const touched = touchSession(session, "change", now);
    const state = moveFile(file, "refuse");
    const refused = { ...file, state, failure, running: undefined, pull: undefined, modifiedAt: now };
    const details = { fileId: file.id, name: file.name, ...failure };
    return { session: touched, file: refused, events: [{ type: "file.failed", details }] };
  });
  if (isRefused) deps.seats.evictFile(ref.fileId);
}
