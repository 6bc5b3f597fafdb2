import type { Caller } from "./call.js";
import { UploadError } from "./error.js";
import type { Failure } from "./failure.js";
import { moveSession, type SessionEvent, type SessionState } from "./session-state.js";
import { type Attributes, invalid } from "./values.js";

/** How many sessions may be open on one item: `exclusive` excludes every other one, `additive` only exclusive ones. */
export type SessionAccess = "additive" | "exclusive";

/** Who besides its owner may see and use a session. */
export type SessionVisibility = "owner" | "tenant";

/** One upload process: who, of what, in which state, until when. */
export interface Session {
  readonly id: string;
  readonly tenantId: string;
  readonly ownerId: string;
  readonly state: SessionState;
  readonly access: SessionAccess;
  readonly visibility: SessionVisibility;
  /** The face that created it; a dialect lists only its own. */
  readonly origin: string;
  readonly label: string;
  /** The item that completion applies the files to, if any. */
  readonly itemId: string | undefined;
  /** The item's content version when the session was created. */
  readonly baseContentVersion: number | undefined;
  /** Names that completion takes out of the item. */
  readonly removals: readonly string[];
  readonly attributes: Attributes;
  /** What the client says of its progress, 0 to 100. */
  readonly clientProgress: number;
  readonly failure: Failure | undefined;
  readonly deadlines: Deadlines;
  /**
   * While it runs: when it fails unless something happens. Afterwards: when its row goes; undefined when it holds
   * content of its own.
   */
  readonly expiresAt: Date | undefined;
  readonly fileCount: number;
  /** The number of its newest event. */
  readonly lastEvent: number;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
  readonly endedAt: Date | undefined;
}

/** How long a session lives, in milliseconds. */
export interface Deadlines {
  /** Without activity. */
  readonly idleTtlMs: number;
  /** Whatever happens; undefined for no such end. */
  readonly absoluteTtlMs: number | undefined;
  /** How long an ended session is remembered. */
  readonly keepTerminalMs: number;
}

const maxTtlMs = 10 * 365 * 24 * 3_600_000;

/** Throws `invalid` (DURATION_INVALID) unless every duration is positive and at most ten years. */
export function parseDeadlines(deadlines: Deadlines): Deadlines {
  for (const [name, ms] of Object.entries(deadlines)) {
    if (ms !== undefined && !(Number.isSafeInteger(ms) && ms > 0 && ms <= maxTtlMs)) {
      throw invalid("DURATION_INVALID", `${name} must be from 1 ms to ten years, not ${ms}`);
    }
  }
  return deadlines;
}

/** When a session fails if nothing happens after `now`. */
export function deadlineFrom(session: Pick<Session, "deadlines" | "createdAt">, now: Date): Date {
  const idle = now.getTime() + session.deadlines.idleTtlMs;
  const { absoluteTtlMs } = session.deadlines;
  const absolute = absoluteTtlMs === undefined ? idle : session.createdAt.getTime() + absoluteTtlMs;
  return new Date(Math.min(idle, absolute));
}

/** Throws `not_found` unless the caller may know of the session (P9). */
export function assertVisible(session: Session, caller: Caller): void {
  const visible =
    session.tenantId === caller.tenantId &&
    (caller.origin === undefined || session.origin === caller.origin) &&
    (session.ownerId === caller.userId || session.visibility === "tenant" || caller.permissions.has("administer"));
  if (!visible) throw sessionNotFound(session.id);
}

export function sessionNotFound(id: string): UploadError {
  return new UploadError("not_found", `no session ${id}`, { reason: "SESSION_NOT_FOUND", subject: id });
}

/** The session with something done to it that keeps it running. */
export function touchSession(session: Session, event: "touch" | "change", now: Date): Session {
  moveSession(session, event, now);
  return { ...session, modifiedAt: now, expiresAt: deadlineFrom(session, now) };
}

/** The session ended by `event`, or undefined when it had ended so before. Throws what `moveSession` throws. */
export function endSession(
  session: Session,
  event: Exclude<SessionEvent, "touch" | "change" | "defer" | "reopen" | "delete">,
  now: Date,
  failure?: Failure,
): Session | undefined {
  const move = moveSession(session, event, now);
  if (move === "replay" || move === "gone") return undefined;
  // Without a target item the session itself is what holds the content: that is no tombstone, and nothing but a
  // deletion ends it.
  const holdsContent = move === "done" && session.itemId === undefined;
  return {
    ...session,
    state: move,
    failure,
    modifiedAt: now,
    endedAt: now,
    expiresAt: holdsContent ? undefined : new Date(now.getTime() + session.deadlines.keepTerminalMs),
  };
}
