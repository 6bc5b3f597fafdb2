import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { type SessionEvent, SessionEventType } from "../../../gen/slipway/upload/v1/event_pb.js";
import { type Session, SessionState } from "../../../gen/slipway/upload/v1/session_pb.js";
import { errorInfoOf } from "../connection/rpc-error.js";
import { defineServerCommand, type ServerCall } from "../connection/server-command.js";
import { CliError } from "../shell/cli-error.js";
import type { Options } from "../shell/command.js";
import { formatForeign } from "../shell/format.js";
import { printJson } from "../shell/output.js";
import { formatEvent } from "./event-view.js";
import { createFollowRetry, endOf, followSession } from "./follow.js";
import { parseSessionId, sessionOperand } from "./session-id.js";
import { printEnd, sessionJson } from "./session-view.js";
import { createWatchProgress } from "./watch-progress.js";

const example = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
const shownMissing = 10;

/** How long one who waits goes on without a server, unless told otherwise: a restart is no reason to give up. */
const patienceMs = 600_000;

const waitOption = {
  wait: { type: "boolean", summary: "wait for files that are being fetched, and say how it ended" },
} as const satisfies Options;

export const complete = defineServerCommand({
  path: "session complete",
  summary: "make all files of a session visible together",
  description: `Completes a session: all of its files become visible together. When files are missing nothing changes, and
they are named. A session that is completed already stays so. While the server still fetches files
the session is completing: it ends by itself when they have come, and is active again when one of
them cannot be had. With --wait this is waited for: exits with 0 when the session is completed, with
1 when it is not.`,
  operands: sessionOperand,
  options: waitOption,
  examples: [`slipway session complete ${example}`, `slipway session complete ${example} --wait`],
  check: ({ operands }) => parseSessionId(operands[0]),
  async run(call) {
    const { operands, values, client, ask, context, json } = call;
    const sessionId = parseSessionId(operands[0]);
    const { session, applied } = await ask((options) => client.sessions.completeSession({ sessionId }, options)).catch(
      (error: unknown) => {
        throw withMissing(error, sessionId);
      },
    );
    if (session?.state !== SessionState.COMPLETING) {
      printEnd(context, json, { session, applied });
      return session?.state === SessionState.DONE ? 0 : 1;
    }
    if (values.wait === true) return await waitForEnd(call, session, applied);
    if (json) printJson(context, { session: sessionJson(session), applied });
    else {
      context.out.write(
        `session ${sessionId} is completing${applied ? "" : " already"}: files are still being fetched\n`,
      );
      context.err.write(`It ends by itself. To follow it: slipway session watch ${sessionId}\n`);
    }
    return 0;
  },
});

type Call = ServerCall<typeof waitOption>;

async function waitForEnd(call: Call, completing: Session, applied: boolean): Promise<number> {
  const { client, ask, signal, values, context, connection, json } = call;
  const progress = createWatchProgress(context, json);
  const retryForMs = values["retry-for"] === undefined ? patienceMs : connection.retryForMs;
  const retry = createFollowRetry(retryForMs, signal, progress);
  let reopened: SessionEvent | undefined;
  const happened = async (event: SessionEvent) => {
    progress.happened(event);
    if (event.fileId !== undefined && event.failure !== undefined && !json) progress.notice(formatEvent(event));
    if (event.type !== SessionEventType.SESSION_REOPENED) return endOf(event);
    reopened = event;
    return SessionState.ACTIVE;
  };
  const sessionId = completing.id;
  const after = Number(completing.lastEventNumber);
  const { moved } = progress;
  const state = await followSession({ client, signal, retry, sessionId, after, happened, moved }).finally(() =>
    progress.close(),
  );
  const { session } = await ask((options) => client.sessions.getSession({ sessionId }, options));
  if (reopened === undefined) printEnd(context, json, { session, applied });
  else printReopened(call, session, applied, reopened);
  return state === SessionState.DONE ? 0 : 1;
}

function printReopened(
  { context, json }: Call,
  session: Session | undefined,
  applied: boolean,
  { failure }: SessionEvent,
): void {
  if (session === undefined) throw new CliError("the server's answer holds no session");
  const why = failure?.message?.defaultMessage ?? "";
  if (json) printJson(context, { session: sessionJson(session), applied, reopened: why });
  else {
    context.out.write(`session ${session.id} is not completed, and is active again: ${formatForeign(why)}\n`);
    context.err.write(`To see what is wrong: slipway ls ${session.id}\n`);
  }
}

/** What is missing, in the words of one who can send it. */
function withMissing(error: unknown, sessionId: string): unknown {
  const info = errorInfoOf(error);
  if (info?.reason !== ErrorReason.FILES_INCOMPLETE || info.missing.length === 0) return error;
  const names = info.missing.slice(0, shownMissing).map((name) => JSON.stringify(name));
  const more = info.missing.length > names.length ? " and others" : "";
  return new CliError(
    `the session cannot be completed: ${names.join(", ")}${more} ${names.length === 1 ? "is" : "are"} not whole yet (see: slipway session show ${sessionId})`,
    1,
    error,
  );
}
