import type { Predicate, SessionField, SessionState, Uploads } from "../../../core/index.js";
import type { ImisCall } from "../call.js";
import { type ImisLimits, overLimit } from "../limits.js";

/** How many upload sessions each user has, open and remembered: of both there may be only so many. */
export interface SessionCounts {
  /** Creates one where there is room for it, however many are being created; throws `too_many_sessions`. */
  admit<T>(create: () => Promise<T>, call: ImisCall): Promise<T>;
}

/** What is known of one user. */
interface Own {
  /** Creations that were let in, and those of them that are over, whatever came of them. */
  admitted: number;
  finished: number;
  counted: Counted | undefined;
}

interface Counted {
  readonly open: number;
  readonly ended: number;
  /** Creations that were over before this was counted: the others may be in it or not. */
  readonly finished: number;
  readonly atMs: number;
}

/** So long a count is believed that leaves room, which keeps creation cheap. Nobody is refused by an old one. */
const believedMs = 10_000;
const mostUsers = 1_000;

const openStates: readonly SessionState[] = ["active", "completing"];
const endedStates: readonly SessionState[] = ["done", "canceled", "failed"];

export function createSessionCounts(deps: {
  readonly uploads: Pick<Uploads, "countSessions">;
  readonly limits: ImisLimits;
  readonly now: () => Date;
}): SessionCounts {
  const { uploads, limits, now } = deps;
  const users = new Map<string, Own>();

  function ownOf(userId: string): Own {
    const own = users.get(userId) ?? { admitted: 0, finished: 0, counted: undefined };
    users.delete(userId);
    users.set(userId, own);
    for (const [id, { admitted, finished }] of users) {
      if (users.size <= mostUsers) break;
      if (admitted === finished) users.delete(id);
    }
    return own;
  }
  async function count(own: Own, call: ImisCall): Promise<Counted> {
    const { finished } = own;
    const atMs = now().getTime();
    const open = await uploads.countSessions({ where: ownIn(openStates, call) }, call);
    const ended = await uploads.countSessions({ where: ownIn(endedStates, call) }, call);
    return { open, ended, finished, atMs };
  }
  const openOf = (own: Own, { open, finished }: Counted) => open + own.admitted - finished;
  const hasRoom = (own: Own, counted: Counted) =>
    openOf(own, counted) < limits.maxUserSessions && counted.ended < limits.maxTombstones;

  return {
    async admit(create, call) {
      const own = ownOf(call.caller.userId);
      let { counted } = own;
      const isFresh = counted !== undefined && now().getTime() - counted.atMs < believedMs;
      if (counted === undefined || !isFresh || !hasRoom(own, counted)) {
        counted = await count(own, call);
        own.counted = counted;
      }
      if (openOf(own, counted) >= limits.maxUserSessions) {
        const text = `a user has at most ${limits.maxUserSessions} upload sessions open; save or cancel some of them`;
        throw overLimit(limits, "maxUserSessions", "too_many_sessions", text);
      }
      if (counted.ended >= limits.maxTombstones) {
        const text = `of a user's ended upload sessions at most ${limits.maxTombstones} are remembered; come back later`;
        throw overLimit(limits, "maxTombstones", "too_many_sessions", text);
      }
      own.admitted++;
      try {
        return await create();
      } finally {
        own.finished++;
      }
    },
  };
}

/** Those that upload to an entity: what is staged has sessions without one. */
function ownIn(states: readonly SessionState[], { caller }: ImisCall): Predicate<SessionField> {
  return {
    all: [
      { field: "ownerId", is: "eq", value: caller.userId },
      { field: "state", is: "in", value: states },
      { field: "itemId", is: "ne", value: null },
    ],
  };
}
