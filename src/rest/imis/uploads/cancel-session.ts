import { isUploadError, type Session, type Uploads } from "../../../core/index.js";
import type { ImisCall } from "../call.js";
import { endedAttributes } from "./attributes.js";
import { alreadySaved, handleReadOnly, sessionGone } from "./refusals.js";
import { type FoundUpload, lookUp, type SeeDeps } from "./see-session.js";
import type { SessionPlace } from "./upload-sessions.js";

export interface CancelDeps extends SeeDeps {
  readonly uploads: Pick<Uploads, "viewSession" | "cancelSession">;
}

export async function cancelUpload(deps: CancelDeps, place: SessionPlace, call: ImisCall): Promise<void> {
  const find = () => lookUp(deps, place, call, "owner or administrator");
  const found = await find();
  if (isOver(found)) return;
  if (found.entity.mode !== "write") throw handleReadOnly();
  const attributes = (session: Session) => endedAttributes(session, "cancelled");
  try {
    await deps.uploads.cancelSession({ sessionId: found.session.id, attributes }, call);
  } catch (error) {
    const isEnded = isUploadError(error, "wrong_state", "expired", "not_found");
    // It has ended meanwhile, in a way that is told as if it had been before.
    if (isEnded && isOver(await find())) return;
    throw isUploadError(error, "expired") ? sessionGone("expired") : error;
  }
}

/** Whether it was cancelled before; throws `already_saved` and `session_gone` for other ends. */
function isOver({ standing, attributes }: FoundUpload): boolean {
  if (standing === "saved") throw alreadySaved(attributes.objectId);
  if (standing !== "open" && standing !== "cancelled") throw sessionGone(standing);
  return standing === "cancelled";
}
