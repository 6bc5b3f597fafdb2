import { durationMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { SessionService } from "../../gen/slipway/upload/v1/session_service_pb.js";
import {
  type Deadlines,
  type Predicate,
  type Principal,
  parseId,
  type SessionField,
  type Uploads,
} from "../core/index.js";
import { callOf, principalOf } from "./caller.js";
import { formatUpdate } from "./event-messages.js";
import { formatLimits } from "./limits-messages.js";
import { numberFrom } from "./numbers.js";
import {
  formatAttributes,
  formatFailure,
  formatSession,
  parseAccess,
  parseSessionState,
  parseVisibility,
} from "./session-messages.js";

/** So many that the answer stays under 4 MiB, which is all that many a client takes. */
const mostMissing = 10_000;
const mostInvalid = 1_000;

/**
 * `defaults`: the deadlines of sessions that do not ask for others. `stopping` aborts when the server begins to stop:
 * those who watch would never let it.
 */
export function createSessionService(
  uploads: Uploads,
  defaults: Deadlines,
  stopping: AbortSignal,
): ServiceImpl<typeof SessionService> {
  return {
    async createSession(request, context) {
      const { idleTtl, absoluteTtl } = request;
      const { session, applied } = await uploads.createSession(
        {
          ...(request.clientToken === "" ? {} : { clientToken: request.clientToken }),
          ...(request.itemId === undefined ? {} : { itemId: request.itemId }),
          access: parseAccess(request.access),
          visibility: parseVisibility(request.visibility),
          origin: "rpc",
          label: request.label,
          attributes: formatAttributes(request.attributes ?? {}),
          deadlines: defaults,
          askedDeadlines: {
            ...(idleTtl && { idleTtlMs: durationMs(idleTtl) }),
            ...(absoluteTtl && { absoluteTtlMs: durationMs(absoluteTtl) }),
          },
        },
        callOf(context),
      );
      return { session: formatSession(session), applied };
    },

    async getSession(request, context) {
      return { session: formatSession(await uploads.getSession(request, callOf(context))) };
    },

    async listSessions(request, context) {
      const conditions: Predicate<SessionField>[] = [];
      if (request.states.length > 0) {
        conditions.push({ field: "state", is: "in", value: request.states.map(parseSessionState) });
      }
      if (request.itemId !== undefined) {
        conditions.push({ field: "itemId", is: "eq", value: parseId(request.itemId, "item id") });
      }
      if (request.label !== undefined) conditions.push({ field: "label", is: "eq", value: request.label });
      const page = await uploads.listSessions(
        { where: { all: conditions }, page: { size: request.pageSize, cursor: request.pageToken } },
        callOf(context),
      );
      return { sessions: page.things.map(formatSession), nextPageToken: page.nextCursor ?? "" };
    },

    async keepSessionAlive(request, context) {
      return { session: formatSession(await uploads.keepSessionAlive(request, callOf(context))) };
    },

    async validateSession(request, context) {
      const { missing, invalid } = await uploads.validateSession(request, callOf(context));
      return {
        hasErrors: missing.length + invalid.length > 0,
        missingFiles: missing.slice(0, mostMissing).map(({ name }) => name),
        invalidFiles: invalid.slice(0, mostInvalid).map(({ id, name, failure }) => ({
          fileId: id,
          name,
          ...(failure && { failure: formatFailure(failure) }),
        })),
      };
    },

    async completeSession(request, context) {
      const { session, applied } = await uploads.completeSession(request, callOf(context));
      return { session: formatSession(session), applied };
    },

    async cancelSession(request, context) {
      const { session, applied } = await uploads.cancelSession(request, callOf(context));
      return { session: formatSession(session), applied };
    },

    async failSession(request, context) {
      const { session, applied } = await uploads.failSession(request, callOf(context));
      return { session: formatSession(session), applied };
    },

    async deleteSession(request, context) {
      await uploads.deleteSession(request, callOf(context));
      return {};
    },

    async *watchSession(request, context) {
      const { sessionId } = request;
      const after = numberFrom(request.afterEventNumber, "event number");
      const { signal, release } = watchSignal([context.signal, stopping], principalOf(context));
      try {
        const updates = uploads.watchSession({ sessionId, after }, { ...callOf(context), signal });
        for await (const update of updates) yield { update: formatUpdate(update) };
      } finally {
        release();
      }
    },

    async getLimits() {
      return { limits: formatLimits(uploads.limits, defaults) };
    },
  };
}

const useMs = 1_000;

/**
 * Aborts with whichever of the signals aborts first, or with what ends the principal's credentials: a watch has no
 * messages of its own to say that they are in use. Holds on to nothing once it is released.
 */
function watchSignal(
  signals: readonly AbortSignal[],
  principal: Principal,
): { readonly signal: AbortSignal; release(): void } {
  const any = new AbortController();
  const abort = (event: Event) => any.abort((event.target as AbortSignal).reason);
  for (const signal of signals) {
    if (signal.aborted) any.abort(signal.reason);
    else signal.addEventListener("abort", abort);
  }
  const using = setInterval(() => {
    try {
      principal.use();
    } catch (error) {
      any.abort(error);
    }
  }, useMs);
  return {
    signal: any.signal,
    release() {
      clearInterval(using);
      for (const signal of signals) signal.removeEventListener("abort", abort);
    },
  };
}
