import { isUploadError, type Session, type Uploads } from "../../../core/index.js";
import type { ImisCall } from "../call.js";
import { endedAttributes } from "./attributes.js";

/** Ends a session whose handle was closed before the session became its own: the close has not seen it. */
export async function endWithEntity(
  { uploads }: { readonly uploads: Pick<Uploads, "cancelSession"> },
  sessionId: string,
  call: ImisCall,
): Promise<void> {
  const attributes = (session: Session) => endedAttributes(session, "entity_closed");
  await uploads.cancelSession({ sessionId, attributes }, call).catch((error: unknown) => {
    if (!isUploadError(error, "wrong_state", "expired", "not_found")) throw error;
  });
}
