import type { JsonValue } from "./values.js";

/** What a session's history tells. Progress is not among it. */
export const eventTypes = [
  "session.created",
  "session.changed",
  "session.completing",
  "session.reopened",
  "session.done",
  "session.canceled",
  "session.failed",
  "file.added",
  "file.removed",
  "file.ready",
  "file.failed",
  "file.delayed",
] as const;

export type EventType = (typeof eventTypes)[number];

/** Something to be told, written in the same transaction as what it tells of. */
export interface NewEvent {
  readonly type: EventType;
  readonly details: { readonly [name: string]: JsonValue };
}

/** One entry of a session's history, numbered from 1 without a gap. */
export interface SessionHistoryEvent extends NewEvent {
  readonly sessionId: string;
  readonly number: number;
  readonly at: Date;
}
