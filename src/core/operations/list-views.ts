// Sessions shown as one thing with their files, and how many of them there are.
import { assertPermission, type Call } from "../call.js";
import type { CoreDeps } from "../deps.js";
import type { Position } from "../paging.js";
import type { SessionField, SessionOrder, SessionView } from "../ports/metadata-store.js";
import { assertPredicate, type Predicate } from "../predicate.js";
import { assertVisible } from "../session.js";
import { parseCount } from "../values.js";
import { parseSessionRef, visibleTo } from "./sessions.js";

// What a list holds in memory at a time: so many sessions at the most, and no further one once there are so many files.
const sessionsAtOnce = 100;
const filesAtOnce = 1000;

/** The session with all its files, as of one moment. Throws `not_found`. */
export async function viewSession(deps: CoreDeps, input: { sessionId: string }, call: Call): Promise<SessionView> {
  assertPermission(call.caller, "read");
  const view = await deps.metadata.viewSession(parseSessionRef(input, call));
  assertVisible(view.session, call.caller);
  return view;
}

/** How many sessions the caller may see and `where` holds for, exactly. Throws `invalid` (PREDICATE_INVALID). */
export async function countSessions(
  deps: CoreDeps,
  input: { readonly where?: Predicate<SessionField> | undefined },
  call: Call,
): Promise<number> {
  assertPermission(call.caller, "read");
  return deps.metadata.countSessions(call.caller.tenantId, parseWhere(input.where, call));
}

export interface SessionViewsInput {
  readonly where?: Predicate<SessionField> | undefined;
  readonly order: SessionOrder;
  readonly offset: number;
  readonly limit: number;
}

/**
 * The sessions that the caller may see and `where` holds for, each with all its files as of one moment. However many
 * there are, few are held at a time. What is created or removed meanwhile makes the list neither repeat a session nor
 * pass over one. Throws, before or between views, `denied`, `invalid` (PREDICATE_INVALID, NUMBER_INVALID),
 * `unavailable`.
 */
export async function* listSessionViews(
  deps: CoreDeps,
  input: SessionViewsInput,
  call: Call,
): AsyncGenerator<SessionView, void, undefined> {
  const { caller, signal } = call;
  assertPermission(caller, "read");
  const predicate = parseWhere(input.where, call);
  let offset = parseCount(input.offset, "offset");
  let left = parseCount(input.limit, "limit");
  let after: Position | undefined;
  while (left > 0) {
    signal?.throwIfAborted();
    const limit = Math.min(left, sessionsAtOnce);
    const window = { order: input.order, offset, limit, after, fileLimit: filesAtOnce };
    const views = await deps.metadata.listSessionViews(caller.tenantId, predicate, window);
    yield* views;
    const files = views.reduce((sum, { session }) => sum + session.fileCount, 0);
    if (views.length < limit && files < filesAtOnce) return;
    left -= views.length;
    offset = 0;
    after = views.at(-1)?.session;
  }
}

function parseWhere(where: Predicate<SessionField> | undefined, { caller }: Call): Predicate<SessionField> {
  if (where === undefined) return { all: visibleTo(caller) };
  assertPredicate(where);
  return { all: [...visibleTo(caller), where] };
}
