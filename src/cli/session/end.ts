// The commands that bring a session to its end, or keep it from it.
import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { defineServerCommand } from "../connection/server-command.js";
import { parseWhole } from "../connection/settings.js";
import { takeAway } from "../connection/take-away.js";
import { CliError } from "../shell/cli-error.js";
import { confirm, yesOption } from "../shell/confirm.js";
import { formatMoment } from "../shell/format.js";
import { printJson } from "../shell/output.js";
import { parseSessionId, sessionOperand } from "./session-id.js";
import { printEnd, sessionJson } from "./session-view.js";

const example = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

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
