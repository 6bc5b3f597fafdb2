// Upload sessions go with the handle through which their owner used them last.
import {
  isUploadError,
  type Predicate,
  type Session,
  type SessionField,
  UploadError,
  type Uploads,
} from "../../../core/index.js";
import { type ImisCall, imisOrigin } from "../call.js";

/** Of those of the caller that run and that `where` holds for; `isOver` is asked for the handle of each. */
export async function endSessions(
  uploads: Pick<Uploads, "listSessions" | "cancelSession">,
  { where, isOver }: { readonly where: readonly Predicate<SessionField>[]; isOver(handle: string): Promise<boolean> },
  call: ImisCall,
): Promise<void> {
  // Whoever was permitted to begin an upload may end it, though the permission be gone.
  const caller = { ...call.caller, permissions: new Set([...call.caller.permissions, "upload" as const]) };
  const own: Predicate<SessionField> = {
    all: [
      { field: "origin", is: "eq", value: imisOrigin },
      { field: "ownerId", is: "eq", value: caller.userId },
      { field: "state", is: "in", value: ["active", "completing"] },
      ...where,
    ],
  };
  let cursor: string | undefined;
  do {
    const page = { size: 100, ...(cursor !== undefined && { cursor }) };
    const { things, nextCursor } = await uploads.listSessions({ where: own, page }, call);
    for (const { id, attributes } of things) {
      const { handle } = attributes;
      if (typeof handle === "string" && (await isOver(handle))) await end(uploads, id, handle, { ...call, caller });
    }
    cursor = nextCursor;
  } while (cursor !== undefined);
}

async function end(
  uploads: Pick<Uploads, "cancelSession">,
  sessionId: string,
  handle: string,
  call: ImisCall,
): Promise<void> {
  const check = ({ attributes }: Session) => {
    if (attributes.handle === handle) return;
    throw new UploadError("wrong_state", `session ${sessionId} is used through another handle`, {
      reason: "SESSION_STATE",
    });
  };
  const attributes = (session: Session) => ({ ...session.attributes, endedBy: "entity_closed" });
  try {
    await uploads.cancelSession({ sessionId, check, attributes }, call);
  } catch (error) {
    // It was saved or moved on meanwhile, or has ended otherwise.
    if (!isUploadError(error, "wrong_state", "expired", "not_found")) throw error;
  }
}
