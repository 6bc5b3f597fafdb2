// A session as whoever asks sees it, and what it does not allow any more.
import { isUploadError, type Session, sessionNotFound, type Uploads } from "../../../core/index.js";
import type { VsphereCall } from "../call.js";
import { vapiError, type VapiError } from "../errors.js";
import { sessionWords } from "./wire.js";

export interface SeenDeps {
  readonly uploads: Pick<Uploads, "getSession" | "keepSessionAlive">;
  readonly now: () => Date;
}

const expired = {
  reason: "expired",
  message: "the session has expired: nothing happened before its deadline",
} as const;
const longestUntoldMs = 60_000;

/**
 * The session, for which every call counts as activity, though not every one is stored: clients ask every few seconds.
 * One that is overdue has failed, whether or not anybody has noticed yet. Throws `not_found`.
 */
export async function seeSession(deps: SeenDeps, sessionId: string, call: VsphereCall): Promise<Session> {
  const session = await deps.uploads.getSession({ sessionId }, call);
  const { idleTtlMs } = session.deadlines;
  if (isForgotten(session, deps.now())) throw sessionNotFound(sessionId);
  const runs = session.state === "active" || session.state === "completing";
  if (!runs || session.expiresAt === undefined) return session;
  const leftMs = session.expiresAt.getTime() - deps.now().getTime();
  const isOverdue = leftMs <= 0;
  const isFresh = leftMs > idleTtlMs - Math.min(idleTtlMs / 10, longestUntoldMs);
  const mayTouch = call.caller.permissions.has("upload") && session.ownerId === call.caller.userId;
  if (!isOverdue && (isFresh || !mayTouch)) return session;
  try {
    if (mayTouch) return await deps.uploads.keepSessionAlive({ sessionId }, call);
  } catch (error) {
    // It ended between the two looks, or is overdue by the database's clock.
    if (isUploadError(error, "wrong_state")) return await deps.uploads.getSession({ sessionId }, call);
    if (!isUploadError(error, "expired")) throw error;
  }
  return { ...session, state: "failed", failure: expired };
}

/** Nobody has to have swept it away first. */
export function isForgotten({ endedAt, expiresAt }: Session, now: Date): boolean {
  return endedAt !== undefined && expiresAt !== undefined && expiresAt <= now;
}

/** Carries out what the session must be active for; says which state it is in where that does not allow it. */
export async function whileActive<T>(
  deps: SeenDeps,
  asked: { readonly operation: string; readonly sessionId: string; readonly call: VsphereCall },
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const isOver = isUploadError(error, "wrong_state") && error.details.reason === "SESSION_STATE";
    if (!isOver && !isUploadError(error, "expired")) throw error;
    throw notAllowed(asked.operation, await seeSession(deps, asked.sessionId, asked.call));
  }
}

/** The operation is not for a session that is where this one is. */
export function notAllowed(operation: string, session: Session): VapiError {
  const state = session.state === "completing" ? "ACTIVE" : sessionWords[session.state];
  const reason = session.state === "completing" ? "it is being completed" : (session.failure?.message ?? "");
  const why = reason === "" ? "" : `: ${reason}`;
  return vapiError(
    "not_allowed_in_current_state",
    "session_state",
    `${operation} is not allowed while the session is in state ${state}${why}`,
    [operation, state, reason],
  );
}
