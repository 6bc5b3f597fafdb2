import type { JsonValue } from "../../../core/index.js";
import { type LocalizableMessage, message } from "../errors.js";
import type { downloadSession, downloadState } from "../operations/download-session.js";
import type { ValueOf } from "../schema.js";
import { expiredText, untoldMsOf } from "../session-rules.js";

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
  return { ...stored, state: "ERROR", error: message("expired", expiredText) };
}

/** When nothing is left of it. */
export function goneAt({ endsAt }: DownloadSession, { keepTerminalMs }: DownloadDeadlines): Date {
  return new Date(endsAt.getTime() + keepTerminalMs);
}

/** Whether activity has to be taken down now. */
export function needsTouch({ endsAt }: DownloadSession, now: Date, { idleTtlMs }: DownloadDeadlines): boolean {
  return endsAt.getTime() - now.getTime() <= idleTtlMs - untoldMsOf(idleTtlMs);
}

/** The expiration of one that is over is when nothing is left of it. */
export function wireDownloadSession(session: DownloadSession, deadlines: DownloadDeadlines): DownloadSessionModel {
  return {
    id: session.id,
    library_item_id: session.itemId,
    library_item_content_version: String(session.contentVersion),
    error_message: session.error,
    client_progress: session.progress,
    state: session.state,
    expiration_time: session.state === "ACTIVE" ? session.endsAt : goneAt(session, deadlines),
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
