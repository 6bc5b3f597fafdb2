import { assertPermission, type Call } from "../call.js";
import type { CoreDeps } from "../deps.js";
import type { SessionHistoryEvent } from "../event.js";
import type { FileProgress, SessionRef } from "../ports/metadata-store.js";
import { assertVisible, type Session } from "../session.js";
import { parseCount } from "../values.js";
import { parseSessionRef } from "./sessions.js";

export type SessionUpdate =
  | { readonly kind: "event"; readonly event: SessionHistoryEvent }
  /** Files that have moved since the last time; none says that the watch is alive. */
  | { readonly kind: "progress"; readonly files: readonly FileProgress[] };

const eventsAtOnce = 1000;
const filesAtOnce = 1000;
/** Progress is told this often at the most. */
const progressMs = 500;
/** How long to wait before looking without having heard anything: another process may have changed the session. */
const lookMs = 5_000;
const silenceMs = 10_000;

/**
 * The history after event number `after`, then what happens, each event once and in order, and progress besides; it
 * ends after the session's last event. Throws, before or between updates, `denied`, `invalid`, `not_found` (also when
 * the session is deleted meanwhile), `too_many` (TOO_MANY_WATCHES), `unavailable`.
 */
export async function* watchSession(
  deps: CoreDeps,
  input: { readonly sessionId: string; readonly after: number },
  call: Call,
): AsyncIterable<SessionUpdate> {
  assertPermission(call.caller, "read");
  const ref = parseSessionRef(input, call);
  let last = parseCount(input.after, "event number");
  // Before the first look: what happens after it is heard.
  const listener = deps.news.listen(ref.sessionId);
  try {
    const told = new Map<string, number>();
    let toldAt = Number.NEGATIVE_INFINITY;
    let measuredAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      const session = await deps.metadata.getSession(ref);
      assertVisible(session, call.caller);
      for await (const event of newEvents(deps, ref, session, last)) {
        last = event.number;
        toldAt = performance.now();
        yield { kind: "event", event };
      }
      // It was over before its events were read, so all of them were.
      if (session.endedAt !== undefined) return;
      // However fast events come, how far the files are is asked no faster than it is told.
      let mostMs = progressMs - passedSince(measuredAt);
      if (mostMs <= 0) {
        measuredAt = performance.now();
        const files = await findMoved(deps, ref, told);
        if (files.length > 0 || passedSince(toldAt) >= silenceMs) {
          toldAt = performance.now();
          yield { kind: "progress", files };
        }
        mostMs = Math.min(lookMs, silenceMs - passedSince(toldAt));
      }
      await listener.next({ progressMs: progressMs - passedSince(measuredAt), mostMs }, call.signal);
    }
  } finally {
    listener.close();
  }
}

function passedSince(time: number): number {
  return performance.now() - time;
}

async function* newEvents(
  deps: CoreDeps,
  ref: SessionRef,
  session: Session,
  after: number,
): AsyncIterable<SessionHistoryEvent> {
  for (let last = after; last < session.lastEvent; ) {
    const events = await deps.metadata.listEvents(ref, last, eventsAtOnce);
    yield* events;
    const newest = events.at(-1);
    if (newest === undefined) return;
    last = newest.number;
  }
}

/** The files under way whose offset is another than the one told. Those that are no more under way are forgotten. */
async function findMoved(deps: CoreDeps, ref: SessionRef, told: Map<string, number>): Promise<readonly FileProgress[]> {
  const running = await deps.metadata.listProgress(ref, filesAtOnce);
  const moved = running.filter(({ fileId, offset }) => offset !== (told.get(fileId) ?? 0));
  told.clear();
  for (const { fileId, offset } of running) told.set(fileId, offset);
  return moved;
}
