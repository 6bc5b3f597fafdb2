// The commands that bring a session to its end, or keep it from it.
import { setTimeout as sleep } from "node:timers/promises";
import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { type Session, SessionState } from "../../../gen/slipway/upload/v1/session_pb.js";
import { errorInfoOf } from "../connection/rpc-error.js";
import { defineServerCommand } from "../connection/server-command.js";
import { parseWhole } from "../connection/settings.js";
import { takeAway } from "../connection/take-away.js";
import { CliError } from "../shell/cli-error.js";
import type { Context } from "../shell/command.js";
import { confirm, yesOption } from "../shell/confirm.js";
import { formatForeign, formatMoment } from "../shell/format.js";
import { printJson } from "../shell/output.js";
import { parseSessionId, sessionOperand } from "./session-id.js";
import { sessionJson } from "./session-view.js";

interface Ended {
  readonly session?: Session | undefined;
  /** False when it had been so before. */
  readonly applied: boolean;
}

const example = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
const shownMissing = 10;

export const complete = defineServerCommand({
  path: "session complete",
  summary: "make all files of a session visible together",
  description: `Completes a session: all of its files become visible together. When files are missing nothing changes, and
they are named. A session that is completed already stays so.`,
  operands: sessionOperand,
  examples: [`slipway session complete ${example}`],
  check: ({ operands }) => parseSessionId(operands[0]),
  async run({ operands, client, ask, signal, context, json }) {
    const sessionId = parseSessionId(operands[0]);
    const ended: Ended = await ask((options) => client.sessions.completeSession({ sessionId }, options)).catch(
      (error: unknown) => {
        throw withMissing(error, sessionId);
      },
    );
    let { session } = ended;
    for (let waitMs = 50; session?.state === SessionState.COMPLETING; waitMs = Math.min(waitMs * 2, 2000)) {
      await sleep(waitMs, undefined, { signal });
      session = (await ask((options) => client.sessions.getSession({ sessionId }, options))).session;
    }
    printEnd(context, json, { ...ended, session });
    return session?.state === SessionState.DONE ? 0 : 1;
  },
});

export const cancel = defineServerCommand({
  path: "session cancel",
  summary: "give a session up, with all that was sent",
  description: "Gives a session up: what was sent in it is thrown away, and nobody ever sees any of it.",
  operands: sessionOperand,
  options: yesOption,
  examples: [`slipway session cancel ${example} --yes`],
  check: ({ operands }) => parseSessionId(operands[0]),
  async run({ operands, values, client, ask, signal, context, json }) {
    const sessionId = parseSessionId(operands[0]);
    await confirm(context, values.yes, `Throw away session ${sessionId} and all that was sent in it?`, signal);
    printEnd(context, json, await ask((options) => client.sessions.cancelSession({ sessionId }, options)));
  },
});

export const fail = defineServerCommand({
  path: "session fail",
  summary: "give a session up, and say why",
  description: "Gives a session up like `cancel`, and leaves a reason for others to read.",
  operands: sessionOperand,
  options: {
    message: { type: "string", short: "m", value: "TEXT", default: "", summary: "the reason" },
    ...yesOption,
  },
  examples: [`slipway session fail ${example} --message "the source was damaged" --yes`],
  check: ({ operands }) => parseSessionId(operands[0]),
  async run({ operands, values: { message, yes }, client, ask, signal, context, json }) {
    const sessionId = parseSessionId(operands[0]);
    await confirm(context, yes, `Throw away session ${sessionId} and all that was sent in it?`, signal);
    printEnd(context, json, await ask((options) => client.sessions.failSession({ sessionId, message }, options)));
  },
});

export const remove = defineServerCommand({
  path: "session delete",
  summary: "forget a session that has ended",
  description: `Forgets a session that has ended. Files that were for an item stay there; others go with the session. A
session that has not ended is cancelled first, by \`slipway session cancel\`.`,
  operands: sessionOperand,
  options: yesOption,
  examples: [`slipway session delete ${example} --yes`],
  check: ({ operands }) => parseSessionId(operands[0]),
  async run({ operands, values, client, ask, signal, context, json }) {
    const sessionId = parseSessionId(operands[0]);
    await confirm(context, values.yes, `Delete session ${sessionId} with the files that only it has?`, signal);
    await takeAway(ask, ErrorReason.SESSION_NOT_FOUND, (options) =>
      client.sessions.deleteSession({ sessionId }, options),
    );
    if (json) printJson(context, { id: sessionId, deleted: true });
    else context.out.write(`session ${sessionId} is deleted\n`);
  },
});

export const keepAlive = defineServerCommand({
  path: "session keep-alive",
  summary: "move a session's deadline on",
  description: "Moves the deadline of a session on that nothing is sent in. While bytes flow it moves on by itself.",
  operands: sessionOperand,
  options: {
    progress: { type: "string", value: "PERCENT", summary: "how far you are: 0 to 100, never less than before" },
  },
  examples: [`slipway session keep-alive ${example}`, `slipway session keep-alive ${example} --progress 40`],
  check: ({ operands, values }) => [parseSessionId(operands[0]), parseProgress(values.progress)],
  async run({ operands, values, client, ask, context, json }) {
    const progress = parseProgress(values.progress);
    const request = {
      sessionId: parseSessionId(operands[0]),
      ...(progress !== undefined && { clientProgress: progress }),
    };
    const { session } = await ask((options) => client.sessions.keepSessionAlive(request, options));
    if (session === undefined) throw new CliError("the server's answer holds no session");
    if (json) printJson(context, { session: sessionJson(session) });
    else context.out.write(`session ${session.id} expires at ${formatMoment(session.expireTime)}\n`);
  },
});

function parseProgress(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseWhole(text, "--progress", 0, 100);
}

function printEnd(context: Context, json: boolean, { session, applied }: Ended): void {
  if (session === undefined) throw new CliError("the server's answer holds no session");
  const { state, failure } = sessionJson(session);
  const why = failure === undefined ? "" : `: ${formatForeign(failure)}`;
  if (json) printJson(context, { session: sessionJson(session), applied });
  else context.out.write(`session ${session.id} is ${state}${applied ? "" : " already"}${why}\n`);
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
