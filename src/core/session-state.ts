import { UploadError } from "./error.js";

export const sessionStates = ["active", "completing", "done", "canceled", "failed"] as const;

export type SessionState = (typeof sessionStates)[number];

/**
 * What can happen to a session. `change`: files are declared, sent or removed. `touch`: it is kept alive. `complete`:
 * all files are whole. `defer`: completion was asked while content is still being fetched. `settle`: that content has
 * come. `reopen`: some of it cannot be had, and whoever asked must see to it.
 */
export const sessionEvents = [
  "touch",
  "change",
  "complete",
  "defer",
  "settle",
  "reopen",
  "cancel",
  "fail",
  "expire",
  "delete",
] as const;

export type SessionEvent = (typeof sessionEvents)[number];

/** `replay`: it has happened already, nothing changes. `refused`: not in this state. `gone`: the row goes. */
export type SessionMove = SessionState | "replay" | "refused" | "gone";

/** The whole life of a session: state x event -> what comes of it. */
export const sessionMoves: Record<SessionState, Record<SessionEvent, SessionMove>> = {
  active: {
    touch: "active",
    change: "active",
    complete: "done",
    defer: "completing",
    settle: "refused",
    reopen: "refused",
    cancel: "canceled",
    fail: "failed",
    expire: "failed",
    delete: "refused",
  },
  completing: {
    touch: "completing",
    change: "refused",
    complete: "replay",
    defer: "replay",
    settle: "done",
    reopen: "active",
    cancel: "canceled",
    fail: "failed",
    expire: "failed",
    delete: "refused",
  },
  done: {
    touch: "refused",
    change: "refused",
    complete: "replay",
    defer: "replay",
    settle: "replay",
    reopen: "refused",
    cancel: "refused",
    fail: "refused",
    expire: "refused",
    delete: "gone",
  },
  canceled: {
    touch: "refused",
    change: "refused",
    complete: "refused",
    defer: "refused",
    settle: "refused",
    reopen: "refused",
    cancel: "replay",
    fail: "refused",
    expire: "refused",
    delete: "gone",
  },
  failed: {
    touch: "refused",
    change: "refused",
    complete: "refused",
    defer: "refused",
    settle: "refused",
    reopen: "refused",
    cancel: "refused",
    fail: "replay",
    expire: "replay",
    delete: "gone",
  },
};

/** What of a session decides its next state. */
export interface SessionStanding {
  readonly id: string;
  readonly state: SessionState;
  /** While it runs: when it fails unless something happens before. Afterwards: when its row goes, if ever. */
  readonly expiresAt: Date | undefined;
  readonly failure: { readonly reason: string } | undefined;
}

/**
 * The next state, or `replay` when it has happened already, or `gone`. Throws `wrong_state` (SESSION_STATE), or
 * `expired` (SESSION_EXPIRED) when the deadline has passed, whether or not anyone has noticed yet.
 */
export function moveSession(session: SessionStanding, event: SessionEvent, now: Date): Exclude<SessionMove, "refused"> {
  const running = session.state === "active" || session.state === "completing";
  const overdue = running && session.expiresAt !== undefined && session.expiresAt <= now;
  const expired = overdue || session.failure?.reason === "expired";
  // Nobody has to notice first that it is over.
  if (overdue && event === "delete") return "gone";
  const move = sessionMoves[session.state][event];
  if (expired && event !== "expire" && (overdue || move === "refused")) {
    throw new UploadError("expired", `session ${session.id} has expired`, { reason: "SESSION_EXPIRED" });
  }
  if (event === "expire" && running && !overdue) {
    throw new UploadError("wrong_state", `session ${session.id} has not expired`, { reason: "SESSION_STATE" });
  }
  if (move === "refused") {
    throw new UploadError("wrong_state", `session ${session.id} is ${session.state}, which does not allow ${event}`, {
      reason: "SESSION_STATE",
    });
  }
  return move;
}
