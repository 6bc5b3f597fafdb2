import { createId } from "../blob.js";
import { assertPermission, type Call, type Caller } from "../call.js";
import type { CoreDeps } from "../deps.js";
import type { NewEvent, SessionHistoryEvent } from "../event.js";
import { assertMayFetch, buildFile } from "../file.js";
import {
  assertNotBusy,
  buildSession,
  parseClientToken,
  parseSessionWords,
  runningAt,
  type SessionInput,
} from "../new-session.js";
import { type Page, parsePage } from "../paging.js";
import type { SessionField, SessionRef } from "../ports/metadata-store.js";
import { assertPredicate, type Predicate } from "../predicate.js";
import { assertVisible, endSession, type Session, touchSession } from "../session.js";
import { moveSession } from "../session-state.js";
import { type Attributes, invalid, parseAttributes, parseCount, parseId, parseText } from "../values.js";

/** What an operation that may be a repeat answers: `applied` is false when it had been done before. */
export interface SessionResult {
  readonly session: Session;
  readonly applied: boolean;
}

/**
 * With the files that it begins with, if any, all in one transaction. Throws `denied`, `invalid`, `not_found` (the
 * item), `busy` (the item has a session that excludes this one), `conflict` (the token was used for another); and for
 * files what `addFile` throws.
 */
export async function createSession(deps: CoreDeps, input: SessionInput, call: Call): Promise<SessionResult> {
  const { caller } = call;
  assertPermission(caller, "upload");
  const words = parseSessionWords(input, deps.limits);
  const { clientToken: token } = input;
  const clientToken =
    token === undefined
      ? {}
      : { clientToken: parseClientToken(token, `${input.origin}.create-session`, words.repeated) };
  for (const spec of words.files) assertMayFetch(spec, caller);
  // In the order in which files that are declared at once are listed.
  const fileIds = words.files.map(() => createId()).sort();
  const created = await deps.metadata.createSession({
    tenantId: caller.tenantId,
    ownerId: caller.userId,
    itemId: words.itemId,
    ...clientToken,
    build({ now, item, open }) {
      if (words.itemId !== undefined) assertNotBusy(words.itemId, words.access, open, now);
      input.check?.(runningAt(open, now));
      const session = buildSession(words, caller, item, now);
      const files = words.files.map((spec, at) => buildFile(fileIds[at]!, spec, session, now));
      const added = files.map(({ id, name }) => ({ type: "file.added" as const, details: { fileId: id, name } }));
      return { session, files, events: [{ type: "session.created", details: {} }, ...added] };
    },
  });
  if (created.applied && words.files.some(({ source }) => source !== undefined)) deps.pulls.wake();
  return created;
}

/** Throws `not_found`. */
export async function getSession(deps: CoreDeps, input: { sessionId: string }, call: Call): Promise<Session> {
  assertPermission(call.caller, "read");
  const session = await deps.metadata.getSession(parseSessionRef(input, call));
  assertVisible(session, call.caller);
  return session;
}

/**
 * The sessions that the caller may see and `where` holds for, newest first. Throws `invalid` (PAGE_INVALID,
 * PREDICATE_INVALID).
 */
export async function listSessions(
  deps: CoreDeps,
  input: { readonly where?: Predicate<SessionField>; readonly page: { size?: number; cursor?: string } },
  call: Call,
): Promise<Page<Session>> {
  const { caller } = call;
  assertPermission(caller, "read");
  const page = parsePage(input.page);
  if (input.where !== undefined) assertPredicate(input.where);
  const where = input.where === undefined ? [] : [input.where];
  return deps.metadata.listSessions(caller.tenantId, { all: [...visibleTo(caller), ...where] }, page);
}

/** What holds for all sessions of their tenant that the caller may see: `assertVisible` for lists (P9). */
export function visibleTo(caller: Caller): readonly Predicate<SessionField>[] {
  const { origin } = caller;
  const through: readonly Predicate<SessionField>[] =
    origin === undefined ? [] : [{ field: "origin", is: "eq", value: origin }];
  if (caller.permissions.has("administer")) return through;
  const mine: Predicate<SessionField> = { field: "ownerId", is: "eq", value: caller.userId };
  return [...through, { any: [mine, { field: "visibility", is: "eq", value: "tenant" }] }];
}

/**
 * Puts the deadline off and takes the client's word for its progress, which never falls. Throws `not_found`,
 * `wrong_state`, `expired`, `invalid`.
 */
export async function keepSessionAlive(
  deps: CoreDeps,
  input: { readonly sessionId: string; readonly clientProgress?: number | undefined },
  call: Call,
): Promise<Session> {
  assertPermission(call.caller, "upload");
  const { session } = await deps.metadata.updateSession(parseSessionRef(input, call), (before, now) => {
    assertVisible(before, call.caller);
    const clientProgress = input.clientProgress ?? before.clientProgress;
    if (!Number.isInteger(clientProgress) || clientProgress > 100 || clientProgress < before.clientProgress) {
      const range = `from ${before.clientProgress} to 100`;
      throw invalid("PROGRESS_INVALID", `progress must be a whole number ${range}, not ${clientProgress}`);
    }
    return { session: { ...touchSession(before, "touch", now), clientProgress }, events: [] };
  });
  return session;
}

/**
 * Puts other attributes in the place of those that the session has. `change` is asked under the session's lock, maybe
 * more than once, so it must be pure; undefined changes nothing, and `details` are what the history tells of it. Throws
 * `not_found`, `wrong_state`, `expired`, `invalid` (ATTRIBUTES_INVALID), and what `change` throws.
 */
export function changeAttributes(
  deps: CoreDeps,
  input: {
    readonly sessionId: string;
    readonly change: AttributesChange;
    /** True where they have nothing to do with the files: a completion that is under way does not mind then. */
    readonly isApart?: boolean;
  },
  call: Call,
): Promise<SessionResult> {
  assertPermission(call.caller, "upload");
  return deps.metadata.updateSession(parseSessionRef(input, call), (session, now) => {
    assertVisible(session, call.caller);
    const touched = touchSession(session, input.isApart === true ? "touch" : "change", now);
    const changed = input.change(session, now);
    if (changed === undefined) return undefined;
    const attributes = parseAttributes(changed.attributes, deps.limits);
    return { session: { ...touched, attributes }, events: [{ type: "session.changed", details: changed.details }] };
  });
}

/** What a face makes of a session's attributes, and what there is to tell of it. */
export type AttributesChange = (
  session: Session,
  now: Date,
) => { readonly attributes: Attributes; readonly details: NewEvent["details"] } | undefined;

/**
 * Ends the session and lets go of its bytes (P5). What `check` throws, asked under the session's lock, comes out and
 * keeps it; `attributes` are what the face makes of the session's own by this end. Throws `not_found`, `wrong_state`, `expired`.
 */
export function cancelSession(
  deps: CoreDeps,
  input: {
    readonly sessionId: string;
    readonly check?: (session: Session) => void;
    readonly attributes?: (session: Session) => Attributes;
  },
  call: Call,
): Promise<SessionResult> {
  return abandon(deps, input.sessionId, call, (session, now) => {
    input.check?.(session);
    const ended = endSession(session, "cancel", now);
    const attributes = parseAttributes(input.attributes?.(session) ?? session.attributes, deps.limits);
    return (
      ended && {
        session: { ...ended, attributes },
        events: [{ type: "session.canceled", details: {} }],
        releaseContent: true,
      }
    );
  });
}

/** The same, by a client that says why. */
export async function failSession(
  deps: CoreDeps,
  input: { readonly sessionId: string; readonly message: string },
  call: Call,
): Promise<SessionResult> {
  const message = parseText(input.message, "message", 1024) || "the client gave the session up";
  return abandon(deps, input.sessionId, call, (session, now) => {
    const ended = endSession(session, "fail", now, { reason: "client", message });
    const details = { reason: "client", message };
    return ended && { session: ended, events: [{ type: "session.failed", details }], releaseContent: true };
  });
}

async function abandon(
  deps: CoreDeps,
  sessionId: string,
  call: Call,
  change: Parameters<CoreDeps["metadata"]["updateSession"]>[1],
): Promise<SessionResult> {
  assertPermission(call.caller, "upload");
  const ref = parseSessionRef({ sessionId }, call);
  const result = await deps.metadata.updateSession(ref, (session, now) => {
    assertVisible(session, call.caller);
    return change(session, now);
  });
  deps.seats.evictSession(ref.sessionId);
  return result;
}

/** Forgets an ended session, with whatever content no item names. Throws `not_found`, `wrong_state` while it runs. */
export async function deleteSession(deps: CoreDeps, input: { sessionId: string }, call: Call): Promise<void> {
  assertPermission(call.caller, "upload");
  const ref = parseSessionRef(input, call);
  await deps.metadata.deleteSession(ref, (session, now) => {
    assertVisible(session, call.caller);
    moveSession(session, "delete", now);
  });
  deps.seats.evictSession(ref.sessionId);
}

/** The session's history after event number `after`, at most 1000 events. Throws `not_found`, `invalid`. */
export async function listSessionEvents(
  deps: CoreDeps,
  input: { readonly sessionId: string; readonly after: number },
  call: Call,
): Promise<readonly SessionHistoryEvent[]> {
  const after = parseCount(input.after, "event number");
  const session = await getSession(deps, input, call);
  return deps.metadata.listEvents({ tenantId: session.tenantId, sessionId: session.id }, after, 1000);
}

export function parseSessionRef(input: { readonly sessionId: string }, call: Call): SessionRef {
  return { tenantId: call.caller.tenantId, sessionId: parseId(input.sessionId, "session id") };
}
