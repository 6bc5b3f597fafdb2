import type { Call } from "../call.js";
import type { CoreDeps } from "../deps.js";
import { isUploadError } from "../error.js";
import type { SessionRef } from "../ports/metadata-store.js";
import type { FileRef, FileView, NamedFileRef } from "../ports/transfer-store.js";
import { assertVisible } from "../session.js";

/** Which file, and if it matters, at which attempt. */
export interface FileInput {
  readonly sessionId: string;
  readonly fileId: string;
  readonly attempt?: number | undefined;
}

/**
 * A file with its session, for those who may see it. Throws `not_found`: of the session where the caller may not know
 * of it (P9).
 */
export function viewFile(
  deps: CoreDeps,
  ref: FileRef | NamedFileRef,
  call: Call,
): Promise<FileView & { readonly now: Date }> {
  return orHidden(deps, ref, call, async () => {
    const view = await deps.metadata.getFile(ref);
    assertVisible(view.session, call.caller);
    return view;
  });
}

/** What `ask` answers. That a session has no such file is news that only those may have who may see the session. */
export async function orHidden<T>(deps: CoreDeps, ref: SessionRef, call: Call, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (isUploadError(error, "not_found") && error.details.reason === "FILE_NOT_FOUND") {
      assertVisible(await deps.metadata.getSession(ref), call.caller);
    }
    throw error;
  }
}
