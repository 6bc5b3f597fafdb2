import { assertPermission, isId, type RecordChange, UploadError, type Uploads } from "../../../core/index.js";
import { tryChangeRecords } from "../../kit/index.js";
import type { VsphereCall } from "../call.js";
import { notAllowedIn } from "../session-rules.js";
import {
  type DownloadDeadlines,
  type DownloadSession,
  goneAt,
  needsTouch,
  sessionFromValue,
  standingOf,
  valueFromSession,
} from "./download-session.js";

export interface SessionStoreDeps {
  readonly uploads: Pick<Uploads, "findRecord" | "changeRecords" | "listRecords">;
  readonly deadlines: DownloadDeadlines;
  readonly now: () => Date;
}

/** Download sessions, each of which only its owner knows of; every look at one counts as activity. */
export interface SessionStore {
  /** Throws `not_found`. */
  see(id: string, call: VsphereCall): Promise<DownloadSession>;
  /** Throws `not_found`, and `not_allowed_in_current_state` for what the operation needs an active one for. */
  seeActive(id: string, operation: string, call: VsphereCall): Promise<DownloadSession>;
  /** The caller's own. */
  list(call: VsphereCall): Promise<readonly DownloadSession[]>;
  /** Of several that create one id, one does. Answers whether it did. */
  create(session: DownloadSession, call: VsphereCall): Promise<boolean>;
  /** The item that a session with a token was, or is, about: for a day after the session is gone. */
  findTokenItem(id: string, call: VsphereCall): Promise<string | undefined>;
  /** Changes an active session, whose deadline is put off. Throws what `seeActive` throws. */
  change(
    id: string,
    operation: string,
    call: VsphereCall,
    change: (session: DownloadSession) => Partial<Pick<DownloadSession, "state" | "error" | "progress">>,
  ): Promise<DownloadSession>;
  /** Throws `not_found`. */
  remove(id: string, call: VsphereCall): Promise<void>;
}

const sessions = "vsphere.download-session";
const tokens = "vsphere.download-token";
const tokenKeepMs = 24 * 3_600_000;
const pageSize = 1_000;

interface Found {
  readonly session: DownloadSession;
  readonly version: number;
}

export function createSessionStore(deps: SessionStoreDeps): SessionStore {
  const { uploads, deadlines, now } = deps;
  const keyOf = (id: string, { caller }: VsphereCall) => `${caller.userId}/${id}`;

  async function find(id: string, call: VsphereCall): Promise<Found> {
    assertPermission(call.caller, "read");
    const key = keyOf(id.toLowerCase(), call);
    const record = isId(id.toLowerCase()) ? await uploads.findRecord({ namespace: sessions, key }, call) : undefined;
    const session = record && standingOf(sessionFromValue(id.toLowerCase(), record.value), now(), deadlines);
    if (record === undefined || session === undefined) throw noSuchSession(id);
    return { session, version: record.version };
  }
  /** What is stored of a session, and what remembers its token for a day longer. */
  function changesFor(session: DownloadSession, expect: number, call: VsphereCall): readonly RecordChange[] {
    const key = keyOf(session.id, call);
    const expiresAt = goneAt(session, deadlines);
    const stored = { namespace: sessions, key, value: valueFromSession(session), expect, expiresAt };
    return session.hasToken ? [stored, rememberToken(session, expiresAt, expect === 0, call)] : [stored];
  }
  function rememberToken(session: DownloadSession, from: Date, isNew: boolean, call: VsphereCall): RecordChange {
    const expiresAt = new Date(from.getTime() + tokenKeepMs);
    const record = { namespace: tokens, key: keyOf(session.id, call), value: { itemId: session.itemId }, expiresAt };
    return isNew ? { ...record, expect: 0 } : record;
  }
  const tryChange = (changes: readonly RecordChange[], call: VsphereCall) => tryChangeRecords(uploads, changes, call);
  const deadline = () => new Date(now().getTime() + deadlines.idleTtlMs);

  async function see(id: string, call: VsphereCall): Promise<DownloadSession> {
    const { session, version } = await find(id, call);
    if (session.state !== "ACTIVE" || !needsTouch(session, now(), deadlines)) return session;
    const touched = { ...session, endsAt: deadline() };
    if (await tryChange(changesFor(touched, version, call), call)) return touched;
    return (await find(id, call)).session;
  }
  return {
    see,

    async seeActive(id, operation, call) {
      const session = await see(id, call);
      assertActive(session, operation);
      return session;
    },

    async list(call) {
      assertPermission(call.caller, "read");
      const prefix = keyOf("", call);
      const found: DownloadSession[] = [];
      let afterKey: string | undefined;
      for (;;) {
        const after = afterKey === undefined ? {} : { afterKey };
        const page = await uploads.listRecords({ namespace: sessions, prefix, limit: pageSize, ...after }, call);
        for (const { key, value } of page) {
          const session = standingOf(sessionFromValue(key.slice(prefix.length), value), now(), deadlines);
          if (session !== undefined) found.push(session);
        }
        if (page.length < pageSize) return found;
        afterKey = page.at(-1)!.key;
      }
    },

    create: (session, call) => tryChange(changesFor(session, 0, call), call),

    async findTokenItem(id, call) {
      const record = await uploads.findRecord({ namespace: tokens, key: keyOf(id, call) }, call);
      return record && (record.value as { readonly itemId: string }).itemId;
    },

    async change(id, operation, call, change) {
      for (;;) {
        const { session, version } = await find(id, call);
        assertActive(session, operation);
        const { state, ...more } = { ...session, ...change(session) };
        const changed = { ...more, state, endsAt: state === "ACTIVE" ? deadline() : now() };
        if (await tryChange(changesFor(changed, version, call), call)) return changed;
      }
    },

    async remove(id, call) {
      for (;;) {
        const { session, version } = await find(id, call);
        const gone = { namespace: sessions, key: keyOf(session.id, call), value: undefined, expect: version };
        const changes = session.hasToken ? [gone, rememberToken(session, now(), false, call)] : [gone];
        if (await tryChange(changes, call)) return;
      }
    },
  };
}

function assertActive({ state, error }: DownloadSession, operation: string): void {
  if (state !== "ACTIVE") throw notAllowedIn(operation, state, error?.default_message ?? "");
}

function noSuchSession(id: string): UploadError {
  const subject = id.slice(0, 80).toWellFormed();
  return new UploadError("not_found", `no download session ${subject}`, { reason: "SESSION_NOT_FOUND", subject });
}
