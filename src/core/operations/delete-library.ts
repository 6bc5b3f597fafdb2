import { assertPermission, type Call } from "../call.js";
import type { CoreDeps } from "../deps.js";
import { isUploadError } from "../error.js";
import type { SessionRef } from "../ports/metadata-store.js";
import { endSession } from "../session.js";
import { parseId } from "../values.js";

export interface DeleteLibraryInput {
  readonly libraryId: string;
  /** Its items go with it, with all that they have; otherwise it must have none. */
  readonly withItems?: boolean;
  /** Whatever is under way on its items is canceled first, whoever does it through whichever face. */
  readonly endSessions?: boolean;
}

const mostRounds = 10;
const sessionsAtOnce = 1000;

/**
 * Throws `denied`, `not_found`, and `busy` (ITEM_BUSY) while it has items that are not to go with it, or one of them has
 * an open session. Sessions are canceled one by one before the rest is done at once, so whoever begins one meanwhile may
 * be met again: when that has happened ten times it is `busy`. Doing it again goes on where it stopped.
 */
export async function deleteLibrary(deps: CoreDeps, input: DeleteLibraryInput, call: Call): Promise<void> {
  const { caller } = call;
  assertPermission(caller, "administer");
  const id = parseId(input.libraryId, "library id");
  const { withItems = false, endSessions = false } = input;
  for (let round = 1; ; round++) {
    call.signal?.throwIfAborted();
    if (endSessions) await cancelSessions(deps, caller.tenantId, id);
    try {
      return await deps.metadata.deleteLibrary(caller.tenantId, id, { withItems });
    } catch (error) {
      if (!endSessions || round === mostRounds || !isUploadError(error, "busy")) throw error;
    }
  }
}

async function cancelSessions(deps: CoreDeps, tenantId: string, libraryId: string): Promise<void> {
  for (;;) {
    const open = await deps.metadata.listBusySessions(tenantId, libraryId, sessionsAtOnce);
    for (const ref of open) await cancel(deps, ref);
    if (open.length < sessionsAtOnce) return;
  }
}

/** One that has ended or gone meanwhile is left as it is. */
async function cancel(deps: CoreDeps, ref: SessionRef): Promise<void> {
  try {
    await deps.metadata.updateSession(ref, (session, now) => {
      const ended = endSession(session, "cancel", now);
      return ended && { session: ended, events: [{ type: "session.canceled", details: {} }], releaseContent: true };
    });
  } catch (error) {
    if (!isUploadError(error, "not_found", "wrong_state", "expired")) throw error;
  }
  deps.seats.evictSession(ref.sessionId);
}
