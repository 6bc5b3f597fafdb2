import { assertPermission, createId, deriveId, parseText, type Uploads } from "../../../core/index.js";
import type { VsphereCall } from "../call.js";
import { itemIdFrom } from "../catalog/ids.js";
import { parseClientToken } from "../client-token.js";
import { invalidArgument, message, vapiError } from "../errors.js";
import type { downloadSession } from "../operations/download-session.js";
import type { Service } from "../services.js";
import { type DownloadDeadlines, type DownloadSession, wireDownloadSession } from "./download-session.js";
import type { SessionStore } from "./session-store.js";

/** How many somebody may have at the same time. */
const mostKept = 1_000;
const longestMessage = 1_024;

export interface DownloadSessionsDeps {
  readonly uploads: Pick<Uploads, "getItem">;
  readonly store: SessionStore;
  readonly deadlines: DownloadDeadlines;
  readonly now: () => Date;
  /** Told that a session is over: what runs under it ends. */
  readonly onEnd: (id: string) => void;
  /** What was prepared in a session that is about to be gone. */
  readonly forgetFiles: (id: string, call: VsphereCall) => Promise<void>;
}

export function createDownloadSessions(deps: DownloadSessionsDeps): Service<typeof downloadSession> {
  const { uploads, store, deadlines, now, onEnd } = deps;

  const getItem = async (id: string, call: VsphereCall) => uploads.getItem({ itemId: itemIdFrom(id) }, call);
  async function assertRoom(call: VsphereCall): Promise<void> {
    // Those that are over count as well: they are kept, and looked through.
    if ((await store.list(call)).length < mostKept) return;
    const text = `a user has at most ${mostKept} download sessions, those that are over included; delete some of them`;
    throw vapiError("unable_to_allocate_resource", "too_many_download_sessions", text, [String(mostKept)]);
  }
  return {
    /** Repeatable by its token, whatever became of the session; only the item makes one specification another. */
    async create({ client_token, create_spec }, call) {
      assertPermission(call.caller, "read");
      const token = parseClientToken(client_token);
      const id = token === undefined ? createId() : deriveId("download session", call.caller.userId, token);
      for (;;) {
        const known = token === undefined ? undefined : await store.findTokenItem(id, call);
        if (known !== undefined && known === create_spec.library_item_id.toLowerCase()) return id;
        if (known !== undefined) {
          const text = "the client_token was used to create a download session of another item";
          throw invalidArgument("client_token_reused", text, [client_token ?? ""]);
        }
        const item = await getItem(create_spec.library_item_id, call);
        await assertRoom(call);
        const created = await store.create(
          {
            id,
            itemId: item.id,
            contentVersion: item.contentVersion,
            hasToken: token !== undefined,
            state: "ACTIVE",
            error: undefined,
            progress: 0,
            endsAt: new Date(now().getTime() + deadlines.idleTtlMs),
          },
          call,
        );
        if (created) return id;
      }
    },

    async get({ download_session_id }, call) {
      return wireDownloadSession(await store.see(download_session_id, call), deadlines);
    },

    async list({ library_item_id }, call) {
      const item = library_item_id === undefined ? undefined : await getItem(library_item_id, call);
      const sessions = await store.list(call);
      return sessions.filter(({ itemId }) => item === undefined || itemId === item.id).map(({ id }) => id);
    },

    async keepAlive({ download_session_id, progress }, call) {
      await store.change(download_session_id, "keep_alive", call, (session) =>
        progress === undefined ? {} : { progress: parseProgress(progress, session) },
      );
    },

    async cancel({ download_session_id }, call) {
      const { id } = await store.change(download_session_id, "cancel", call, () => ({ state: "CANCELED" }));
      onEnd(id);
    },

    async fail({ download_session_id, client_error_message = "" }, call) {
      const told = parseText(client_error_message, "client_error_message", longestMessage);
      const error = message("client", told === "" ? "the client gave the session up" : told);
      const { id } = await store.change(download_session_id, "fail", call, () => ({ state: "ERROR", error }));
      onEnd(id);
    },

    async delete({ download_session_id }, call) {
      const { id } = await store.see(download_session_id, call);
      await deps.forgetFiles(id, call);
      await store.remove(id, call);
      onEnd(id);
    },
  };
}

/** It may say again what it said, and never less. */
function parseProgress(progress: number, session: DownloadSession): number {
  if (progress >= session.progress && progress <= 100) return progress;
  const text = `progress must be a whole number from ${session.progress} to 100, not ${progress}`;
  throw invalidArgument("progress_invalid", text, [String(progress)]);
}
