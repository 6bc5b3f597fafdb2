import type { JsonValue } from "../../../core/index.js";
import { type LocalizableMessage, message, vapiError, type VapiError } from "../errors.js";
import type { downloadSession, downloadState } from "../operations/download-session.js";
import type { ValueOf } from "../schema.js";

export type DownloadState = ValueOf<typeof downloadState>;
export type DownloadSessionModel = ValueOf<(typeof downloadSession)["get"]["output"]>;

export interface DownloadDeadlines {
  /** After so long without activity it has expired. */
  readonly idleTtlMs: number;
  /** For so long it is there to be looked at once it is over. */
  readonly keepTerminalMs: number;
}

/** Somebody's wish to read an item's files. */
export interface DownloadSession {
  readonly id: string;
  readonly itemId: string;
  /** The item's when it was created. */
  readonly contentVersion: number;
  /** With a client token: creating it again with that one is no new session. */
  readonly hasToken: boolean;
  readonly state: DownloadState;
  /** Of a session in ERROR. */
  readonly error: LocalizableMessage | undefined;
  readonly progress: number;
  /** When it expires unless something happens; of one that is over, when that was. */
  readonly endsAt: Date;
}

/** What a stored session is at this moment; undefined once it is gone. */
export function standingOf(
  stored: DownloadSession,
  now: Date,
  deadlines: DownloadDeadlines,
): DownloadSession | undefined {
  if (now.getTime() >= goneAt(stored, deadlines).getTime()) return undefined;
  if (stored.state !== "ACTIVE" || now.getTime() < stored.endsAt.getTime()) return stored;
  const text = "the session has expired: nothing happened before its deadline";
  return { ...stored, state: "ERROR", error: message("expired", text) };
}

/** When nothing is left of it. */
export function goneAt({ endsAt }: DownloadSession, { keepTerminalMs }: DownloadDeadlines): Date {
  return new Date(endsAt.getTime() + keepTerminalMs);
}

const mostUntoldMs = 60_000;

/** For how long activity need not be taken down: clients ask every few seconds. */
export function untoldMs({ idleTtlMs }: DownloadDeadlines): number {
  return Math.min(idleTtlMs / 10, mostUntoldMs);
}

/** Whether activity has to be taken down now. */
export function needsTouch({ endsAt }: DownloadSession, now: Date, deadlines: DownloadDeadlines): boolean {
  return endsAt.getTime() - now.getTime() <= deadlines.idleTtlMs - untoldMs(deadlines);
}

/** The operation is not for a session that is where this one is. */
export function notAllowed(operation: string, { state, error }: DownloadSession): VapiError {
  const reason = error?.default_message ?? "";
  const why = reason === "" ? "" : `: ${reason}`;
  return vapiError(
    "not_allowed_in_current_state",
    "session_state",
    `${operation} is not allowed while the session is in state ${state}${why}`,
    [operation, state, reason],
  );
}

export function wireDownloadSession(session: DownloadSession): DownloadSessionModel {
  return {
    id: session.id,
    library_item_id: session.itemId,
    library_item_content_version: String(session.contentVersion),
    error_message: session.error,
    client_progress: session.progress,
    state: session.state,
    expiration_time: session.endsAt,
  };
}

export function valueFromSession({ id: _id, endsAt, error, ...rest }: DownloadSession): JsonValue {
  return { ...rest, error: (error ?? null) as JsonValue, endsAt: endsAt.toISOString() };
}

export function sessionFromValue(id: string, value: JsonValue): DownloadSession {
  // Nobody writes these values but the function above.
  const stored = value as unknown as Omit<DownloadSession, "id" | "endsAt" | "error"> & {
    readonly endsAt: string;
    readonly error: LocalizableMessage | null;
  };
  return { ...stored, id, error: stored.error ?? undefined, endsAt: new Date(stored.endsAt) };
}
