import type { SessionEvent, SessionProgress } from "../../../gen/slipway/upload/v1/event_pb.js";
import { SessionState } from "../../../gen/slipway/upload/v1/session_pb.js";
import { defineServerCommand } from "../connection/server-command.js";
import { parseWhole } from "../connection/settings.js";
import { printJsonLine, writeOut } from "../shell/output.js";
import { eventJson, formatEvent } from "./event-view.js";
import { createFollowRetry, endOf, followSession } from "./follow.js";
import { parseSessionId, sessionOperand } from "./session-id.js";
import { createWatchProgress } from "./watch-progress.js";

export const watch = defineServerCommand({
  path: "session watch",
  summary: "follow what happens in a session",
  description: `Prints what has happened in a session and then what happens, a line an event, until the session ends. It goes
on by itself after a lost connection or a restarted server, and tells every event once. How far the
files are is told beside the results. Exits with 0 when the session is completed, with 1 when it was
cancelled or failed. With --json every line is an object.`,
  operands: sessionOperand,
  options: {
    after: {
      type: "string",
      value: "N",
      default: "0",
      summary: "leave out the events up to this number (0: all that has happened is told first)",
    },
  },
  examples: [
    "slipway session watch 6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
    "slipway session watch 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --after 12 --json",
  ],
  retryFor: "10m",
  check: ({ operands, values }) => [parseSessionId(operands[0]), parseAfter(values.after)],
  async run({ operands, values, context, connection, client, signal, json }) {
    const progress = createWatchProgress(context, json);
    const retry = createFollowRetry(connection.retryForMs, signal, progress);
    const tell = async (event: SessionEvent) => {
      progress.happened(event);
      const line = json ? JSON.stringify(eventJson(event)) : formatEvent(event);
      await progress.beside(() => writeOut(context, `${line}\n`, signal));
      return endOf(event);
    };
    const moved = (files: SessionProgress["files"]) => {
      progress.moved(files);
      if (json && files.length > 0) printJsonLine(context, progressJson(files));
    };
    const sessionId = parseSessionId(operands[0]);
    const after = parseAfter(values.after);
    try {
      const state = await followSession({ client, signal, retry, sessionId, after, happened: tell, moved });
      return state === SessionState.DONE ? 0 : 1;
    } finally {
      progress.close();
    }
  },
});

function progressJson(files: SessionProgress["files"]) {
  const moved = files.map(({ fileId, committedOffset }) => ({ fileId, committedOffset: Number(committedOffset) }));
  return { type: "progress", files: moved };
}

function parseAfter(text: string): number {
  return parseWhole(text, "--after", 0, 10 ** 15 - 1);
}
