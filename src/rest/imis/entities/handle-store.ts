import { createId, type Deadlines, isId, type RecordChange, type Uploads } from "../../../core/index.js";
import { tryChangeRecords } from "../../kit/index.js";
import { type ImisCall, loginOf } from "../call.js";
import { ImisError } from "../errors.js";
import { type ImisLimits, overLimit } from "../limits.js";
import { createTurns } from "./turns.js";

/** Under what an entity is open. */
export interface Handle {
  readonly id: string;
  readonly libraryId: string;
  readonly itemId: string;
  readonly mode: "read" | "write";
  /** The login under which it was used last: its closing closes the handle. */
  readonly loginId: string;
}

/** A handle as it is named: in another library it is not known. */
export interface NamedHandle {
  readonly id: string;
  readonly libraryId: string;
}

export interface HandleStoreDeps {
  readonly uploads: Pick<Uploads, "findRecord" | "changeRecords" | "listRecords">;
  readonly limits: ImisLimits;
  /** Those of upload sessions: an open handle that nobody uses lives as long as they do. */
  readonly deadlines: Deadlines;
  readonly now: () => Date;
}

/**
 * The handles of each user, which nobody else knows of. They outlive the process. Closing is final: nothing that goes on
 * beside it brings a handle back, and of a login that is closed none is left, whoever came in by it a moment before.
 */
export interface HandleStore {
  /** Throws `too_many_handles`, `unauthenticated`. */
  create(words: Omit<Handle, "id" | "loginId">, call: ImisCall): Promise<Handle>;
  /**
   * An open one, whose lease is put off, and which is its caller's login's from now on; undefined when it is not known
   * (any more). Throws `unauthenticated`.
   */
  use(named: NamedHandle, call: ImisCall): Promise<Handle | "closed" | undefined>;
  /** Closes it; answers what was closed now or before, undefined when it is not known (any more). */
  close(named: NamedHandle, call: ImisCall): Promise<Handle | undefined>;
  /** Closes those of a login, and all that would come to be under it. */
  closeLogin(loginId: string, call: ImisCall): Promise<void>;
  isClosed(id: string, call: ImisCall): Promise<boolean>;
}

/** Open ones and closed ones are apart, so that what is over costs nobody anything. */
const opened = "imis.handle";
const closed = "imis.closed-handle";
const closedLogins = "imis.closed-login";
const pageSize = 1_000;
/** Requests that came in under a login are over long before. */
const loginKeepMs = 3_600_000;

/** How many more a user may open, as far as this process knows, and until when it goes by that. */
interface Room {
  readonly left: number;
  readonly untilMs: number;
}

const believedMs = 10_000;
const mostRooms = 1_000;

export function createHandleStore(deps: HandleStoreDeps): HandleStore {
  const { uploads, limits, deadlines, now } = deps;
  const { idleTtlMs, absoluteTtlMs = idleTtlMs, keepTerminalMs } = deadlines;
  const takeTurn = createTurns();
  const rooms = new Map<string, Room>();
  const keyOf = (id: string, { caller }: ImisCall) => `${caller.userId}/${id}`;
  const after = (ms: number) => new Date(now().getTime() + ms);
  const valueFrom = ({ id: _, ...value }: Handle) => value;

  async function find(namespace: string, text: string, call: ImisCall) {
    const id = text.toLowerCase();
    const record = isId(id) ? await uploads.findRecord({ namespace, key: keyOf(id, call) }, call) : undefined;
    // Nothing but this store writes there.
    return record && { ...record, handle: { id, ...(record.value as unknown as Omit<Handle, "id">) } };
  }
  const store = (handle: Handle, expect: number, call: ImisCall): RecordChange => ({
    namespace: opened,
    key: keyOf(handle.id, call),
    value: valueFrom(handle),
    expect,
    expiresAt: after(idleTtlMs),
  });
  const tryChange = (changes: readonly RecordChange[], call: ImisCall) => tryChangeRecords(uploads, changes, call);
  /** Whether it was this that closed it. */
  async function tryClose(handle: Handle, version: number, call: ImisCall): Promise<boolean> {
    const key = keyOf(handle.id, call);
    const gone = { namespace: opened, key, value: undefined, expect: version };
    const mark = { namespace: closed, key, value: valueFrom(handle), expiresAt: after(absoluteTtlMs + keepTerminalMs) };
    return tryChange([gone, mark], call);
  }
  async function close({ id, libraryId }: NamedHandle, call: ImisCall): Promise<Handle | undefined> {
    for (;;) {
      const found = await find(opened, id, call);
      const handle = (found ?? (await find(closed, id, call)))?.handle;
      if (handle?.libraryId !== libraryId) return undefined;
      if (found === undefined || (await tryClose(handle, found.version, call))) return handle;
    }
  }
  /** After a handle has come to a login: the login marks its end first, and closes what it finds then. */
  async function closeIfLate(handle: Handle, call: ImisCall): Promise<void> {
    const key = keyOf(handle.loginId, call);
    if ((await uploads.findRecord({ namespace: closedLogins, key }, call)) === undefined) return;
    await close(handle, call);
    throw new ImisError("unauthenticated", "the session has been closed meanwhile");
  }
  async function* listOpen(call: ImisCall): AsyncGenerator<Handle, void> {
    const prefix = keyOf("", call);
    for (let afterKey = prefix; ; ) {
      const page = await uploads.listRecords({ namespace: opened, prefix, afterKey, limit: pageSize }, call);
      for (const { key, value } of page) {
        yield { id: key.slice(prefix.length), ...(value as unknown as Omit<Handle, "id">) };
      }
      if (page.length < pageSize) return;
      afterKey = page.at(-1)!.key;
    }
  }
  async function countRoom(call: ImisCall): Promise<Room> {
    let count = 0;
    for await (const _ of listOpen(call)) count++;
    return { left: limits.maxHandles - count, untilMs: now().getTime() + believedMs };
  }
  /** To be asked in turns. Closing only makes room, so what was counted a moment ago is never too much. */
  async function takeRoom(call: ImisCall): Promise<void> {
    const { userId } = call.caller;
    const known = rooms.get(userId);
    const isGood = known !== undefined && known.left > 0 && known.untilMs > now().getTime();
    const room = isGood ? known : await countRoom(call);
    if (room.left <= 0) {
      const text = `a user has at most ${limits.maxHandles} entities open at the same time; close some of them`;
      throw overLimit(limits, "maxHandles", "too_many_handles", text);
    }
    rooms.delete(userId);
    rooms.set(userId, { ...room, left: room.left - 1 });
    for (const id of rooms.keys()) {
      if (rooms.size <= mostRooms) break;
      rooms.delete(id);
    }
  }
  return {
    async create(words, call) {
      const handle: Handle = { id: createId(), ...words, loginId: loginOf(call).id };
      // One after the other, or several would take one place.
      await takeTurn(call.caller.userId, async () => {
        await takeRoom(call);
        await uploads.changeRecords({ changes: [store(handle, 0, call)] }, call);
      });
      await closeIfLate(handle, call);
      return handle;
    },

    async use({ id, libraryId }, call) {
      const loginId = loginOf(call).id;
      for (;;) {
        const found = await find(opened, id, call);
        const handle = (found ?? (await find(closed, id, call)))?.handle;
        if (handle?.libraryId !== libraryId) return undefined;
        if (found === undefined) return "closed";
        const leftMs = (found.expiresAt?.getTime() ?? 0) - now().getTime();
        const isMoved = handle.loginId !== loginId;
        if (!isMoved && leftMs > 0.9 * idleTtlMs) return handle;
        const used = { ...handle, loginId };
        if (!(await tryChange([store(used, found.version, call)], call))) continue;
        if (isMoved) await closeIfLate(used, call);
        return used;
      }
    },

    close,

    async closeLogin(loginId, call) {
      const mark = { namespace: closedLogins, key: keyOf(loginId, call), value: {}, expiresAt: after(loginKeepMs) };
      await uploads.changeRecords({ changes: [mark] }, call);
      for await (const handle of listOpen(call)) if (handle.loginId === loginId) await close(handle, call);
    },

    isClosed: async (id, call) => (await find(closed, id, call)) !== undefined,
  };
}
