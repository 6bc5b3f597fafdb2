import type { CoreDeps } from "../../deps.js";
import { isUploadError } from "../../error.js";
import type { Completion, CompletionView, SessionRef } from "../../ports/metadata-store.js";
import { touchSession } from "../../session.js";
import { moveSession } from "../../session-state.js";
import { applyFiles } from "../complete-session.js";
import { completeVerified } from "../complete-verified.js";

/**
 * Goes on with a completion that waited for content to be fetched: ends the session when all has come, opens it again
 * when some of it cannot be had or there is nothing to apply it to any more, so that its client can see to it. Changes
 * nothing while there is something to wait for, or when the session is not completing. May be asked at any time.
 */
export async function settleSession(deps: CoreDeps, ref: SessionRef): Promise<void> {
  try {
    const { session } = await completeVerified(deps, ref, planSettlement);
    if (session.state === "done") deps.seats.evictSession(ref.sessionId);
  } catch (error) {
    // Deleted, ended or overdue: then there is nothing to settle.
    if (!isUploadError(error, "not_found", "wrong_state", "expired")) throw error;
  }
}

function planSettlement(view: CompletionView, now: Date): Completion | undefined {
  const { session, files, item } = view;
  if (session.state !== "completing") return undefined;
  const failed = files.filter((file) => file.state === "failed");
  if (failed.length > 0) {
    const [first] = failed;
    const others = failed.length === 1 ? "" : `, and ${failed.length - 1} others`;
    return reopen(view, `file ${JSON.stringify(first!.name)} failed${others}`, now);
  }
  if (files.some((file) => file.pull !== undefined)) return undefined;
  if (session.itemId !== undefined && item === undefined) {
    return reopen(view, `its item ${session.itemId} is gone`, now);
  }
  return applyFiles(view, "settle", now);
}

function reopen({ session }: CompletionView, message: string, now: Date): Completion {
  moveSession(session, "reopen", now);
  const active = { ...touchSession(session, "touch", now), state: "active" as const };
  return { session: active, events: [{ type: "session.reopened", details: { reason: "file_failed", message } }] };
}
