// Update sessions: the core's sessions on an item, of which there is one at a time.
import { assertPermission, type Deadlines, isUploadError, type Session, type Uploads } from "../../../core/index.js";
import { type VsphereCall, vsphereOrigin } from "../call.js";
import { idOfCreated, parseClientToken } from "../client-token.js";
import { listWhole } from "../list-whole.js";
import { invalidArgument, message, VapiError, vapiError } from "../errors.js";
import { typeOf } from "../catalog/words.js";
import type { updateSession } from "../operations/update-session.js";
import type { Service } from "../services.js";
import { type WarningBehavior, warningAttributes } from "./attributes.js";
import { isForgotten, notAllowed, seeSession, whileActive } from "./see-session.js";
import { wireSession } from "./wire.js";

export interface UpdateSessionDeps {
  readonly uploads: Pick<
    Uploads,
    | "createSession"
    | "getSession"
    | "listSessions"
    | "keepSessionAlive"
    | "validateSession"
    | "completeSession"
    | "changeAttributes"
    | "cancelSession"
    | "failSession"
    | "deleteSession"
    | "getItem"
    | "getLibrary"
  >;
  readonly deadlines: Deadlines;
  readonly now: () => Date;
}

/** So many files are named when a session lacks them. */
const mostNamed = 10;

export function createUpdateSessions(deps: UpdateSessionDeps): Service<typeof updateSession> {
  const { uploads, deadlines } = deps;

  /** Carries out what only an active session allows. */
  const act = <T>(operation: string, sessionId: string, call: VsphereCall, run: () => Promise<T>) =>
    whileActive(deps, { operation, sessionId, call }, run);

  /** The same, for what ends a session: that it has ended so before is no success here. */
  async function end(
    operation: string,
    sessionId: string,
    call: VsphereCall,
    run: () => Promise<{ readonly session: Session; readonly applied: boolean }>,
  ): Promise<void> {
    const { session, applied } = await act(operation, sessionId, call, run);
    if (!applied && session.state !== "completing") throw notAllowed(operation, session);
  }

  /** Of an item that is gone the creation says so itself, unless its token was given before. */
  async function assertNotSubscribed(itemId: string, call: VsphereCall): Promise<void> {
    try {
      const { libraryId } = await uploads.getItem({ itemId }, call);
      if (typeOf(await uploads.getLibrary({ libraryId }, call)) === "LOCAL") return;
    } catch (error) {
      if (isUploadError(error, "not_found")) return;
      throw error;
    }
    throw vapiError(
      "invalid_element_type",
      "item_of_subscribed_library",
      `item ${itemId} belongs to a subscribed library, whose content only its publisher changes`,
      [itemId],
    );
  }

  /** What a completion lacks, in full; undefined when it has come meanwhile. */
  async function whatIsMissing(sessionId: string, call: VsphereCall): Promise<VapiError | undefined> {
    const { missing, invalid } = await uploads.validateSession({ sessionId }, call);
    if (invalid.length > 0) {
      const names = [missing, invalid].map((files) => files.map(({ name }) => name).join(", "));
      return vapiError(
        "not_allowed_in_current_state",
        "com.vmware.vdcs.cls-main.session_has_missing_or_invalid_files",
        `the session has missing files (${names[0] || "none"}) and invalid files (${names[1]})`,
        names,
      );
    }
    const [first, ...others] = missing.slice(0, mostNamed).map(({ name, state }) => {
      const status = state === "waiting" ? "WAITING_FOR_TRANSFER" : "TRANSFERRING";
      return message(
        "com.vmware.vdcs.cls-main.update_session_file_not_received",
        `file ${JSON.stringify(name)} has not been received: its status is ${status}`,
        [name, status],
      );
    });
    return first && new VapiError("not_allowed_in_current_state", [first, ...others]);
  }

  return {
    async create({ client_token, create_spec: { library_item_id: itemId, warning_behavior } }, call) {
      const clientToken = parseClientToken(client_token);
      await assertNotSubscribed(itemId, call);
      const created = uploads.createSession(
        {
          clientToken,
          itemId,
          access: "exclusive",
          visibility: "owner",
          origin: vsphereOrigin,
          deadlines,
          attributes: warningAttributes(checkWarnings(warning_behavior)),
        },
        call,
      );
      return idOfCreated(created.then(({ session }) => session));
    },

    get: async ({ update_session_id: id }, call) => wireSession(await seeSession(deps, id, call)),

    async list({ library_item_id: itemId }, call) {
      assertPermission(call.caller, "upload");
      if (itemId !== undefined) await uploads.getItem({ itemId }, call);
      const mine = { field: "ownerId", is: "eq", value: call.caller.userId } as const;
      const ofItem = itemId === undefined ? [] : [{ field: "itemId", is: "eq", value: itemId.toLowerCase() } as const];
      const where = { all: [mine, ...ofItem] };
      const found = await listWhole((page) => uploads.listSessions({ where, page }, call), call);
      const now = deps.now();
      return found.filter((session) => !isForgotten(session, now)).map(({ id }) => id);
    },

    complete: ({ update_session_id: sessionId }, call) =>
      end("complete", sessionId, call, async () => {
        try {
          return await uploads.completeSession({ sessionId }, call);
        } catch (error) {
          if (!isUploadError(error, "incomplete")) throw error;
          throw (await whatIsMissing(sessionId, call)) ?? error;
        }
      }),

    async keepAlive({ update_session_id: sessionId, client_progress: clientProgress }, call) {
      await act("keep_alive", sessionId, call, () => uploads.keepSessionAlive({ sessionId, clientProgress }, call));
    },

    cancel: ({ update_session_id: sessionId }, call) =>
      end("cancel", sessionId, call, () => uploads.cancelSession({ sessionId }, call)),

    fail: ({ update_session_id: sessionId, client_error_message: text }, call) =>
      end("fail", sessionId, call, () => uploads.failSession({ sessionId, message: text ?? "" }, call)),

    async update({ update_session_id: sessionId, update_spec }, call) {
      const warnings = checkWarnings(update_spec.warning_behavior);
      // To say nothing of them is a call like any other: it keeps the session alive.
      const change = ({ attributes }: Session) => ({
        attributes: { ...attributes, ...warningAttributes(warnings) },
        details: {},
      });
      await act("update", sessionId, call, () => uploads.changeAttributes({ sessionId, change, isApart: true }, call));
    },

    async delete({ update_session_id: sessionId }, call) {
      await act("delete", sessionId, call, () => uploads.deleteSession({ sessionId }, call));
    },
  };
}

function checkWarnings(warnings: readonly WarningBehavior[] | undefined): readonly WarningBehavior[] | undefined {
  const types = warnings?.map(({ type }) => type) ?? [];
  const twice = types.find((type, at) => types.indexOf(type) < at);
  if (twice === undefined) return warnings;
  throw invalidArgument("warning_twice", `warning_behavior says ${twice} more than once`, [twice]);
}
