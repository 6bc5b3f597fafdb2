import { Code, ConnectError } from "@connectrpc/connect";
import { SessionEventType, type SessionEvent } from "../../../gen/slipway/upload/v1/event_pb.js";
import { SessionState } from "../../../gen/slipway/upload/v1/session_pb.js";
import { createRetry, type Retry } from "../connection/retry.js";
import { describeError } from "../connection/rpc-error.js";
import { defineServerCommand, type ServerCall } from "../connection/server-command.js";
import { parseWhole } from "../connection/settings.js";
import { createStallGuard } from "../connection/stall-guard.js";
import { formatForeign, formatMoment, formatSeconds, formatTime } from "../shell/format.js";
import { printJsonLine, writeOut } from "../shell/output.js";
import { parseSessionId, sessionOperand } from "./session-id.js";
import { createWatchProgress, type WatchProgress } from "./watch-progress.js";

/** The server says something at least every 15 s. */
const stalledMs = 60_000;

const ends = new Map([
  [SessionEventType.SESSION_DONE, SessionState.DONE],
  [SessionEventType.SESSION_CANCELED, SessionState.CANCELED],
  [SessionEventType.SESSION_FAILED, SessionState.FAILED],
]);

const watchOptions = {
  after: {
    type: "string",
    value: "N",
    default: "0",
    summary: "leave out the events up to this number (0: all that has happened is told first)",
  },
} as const;

export const watch = defineServerCommand({
  path: "session watch",
  summary: "follow what happens in a session",
  description: `Prints what has happened in a session and then what happens, a line an event, until the session ends. It goes
on by itself after a lost connection or a restarted server, and tells every event once. How far the
files are is told beside the results. Exits with 0 when the session is completed, with 1 when it was
cancelled or failed. With --json every line is an object.`,
  operands: sessionOperand,
  options: watchOptions,
  examples: [
    "slipway session watch 6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
    "slipway session watch 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --after 12 --json",
  ],
  retryFor: "10m",
  check: ({ operands, values }) => [parseSessionId(operands[0]), parseAfter(values.after)],
  async run(call) {
    const { context, connection, signal, json } = call;
    const progress = createWatchProgress(context, json);
    const retry = createRetry({
      retryForMs: connection.retryForMs,
      signal,
      notify: (error, delayMs) => progress.notice(`${describeError(error)}, retrying in ${formatSeconds(delayMs)}`),
    });
    try {
      return (await follow(call, retry, progress)) === SessionState.DONE ? 0 : 1;
    } finally {
      progress.close();
    }
  },
});

type WatchCall = ServerCall<typeof watchOptions>;

/** Answers the state that the session ended in. */
async function follow(call: WatchCall, retry: Retry, progress: WatchProgress): Promise<SessionState> {
  const sessionId = parseSessionId(call.operands[0]);
  let last = parseAfter(call.values.after);
  for (;;) {
    try {
      const guard = createStallGuard(call.signal, stalledMs);
      const request = { sessionId, afterEventNumber: BigInt(last) };
      const updates = call.client.sessions.watchSession(request, { signal: guard.signal });
      for await (const { update } of guard.watch(updates)) {
        retry.progressed();
        if (update.case === "event") {
          last = Number(update.value.number);
          const end = await tell(call, progress, update.value);
          if (end !== undefined) return end;
        } else if (update.case === "progress") {
          progress.moved(update.value.files);
          if (call.json && update.value.files.length > 0) printJsonLine(call.context, progressJson(update.value.files));
        }
      }
      // It had ended before the first event that was asked for; or something on the way ended the stream.
      const { session } = await call.client.sessions.getSession({ sessionId }, { signal: call.signal });
      if (session !== undefined && [...ends.values()].includes(session.state)) return session.state;
      throw new ConnectError("the stream ended early", Code.Unavailable);
    } catch (error) {
      await retry.pause(error);
    }
  }
}

async function tell(call: WatchCall, progress: WatchProgress, event: SessionEvent): Promise<SessionState | undefined> {
  progress.happened(event);
  const line = call.json ? JSON.stringify(eventJson(event)) : lineOf(event);
  await progress.beside(() => writeOut(call.context, `${line}\n`, call.signal));
  return ends.get(event.type);
}

function lineOf(event: SessionEvent): string {
  const failure = event.failure?.message?.defaultMessage;
  const what = [event.fileName, failure].filter((part) => part !== undefined).join(": ");
  const type = typeOf(event).replaceAll("_", " ");
  return `${formatMoment(event.time)}  ${type.padEnd(18)}  ${formatForeign(what)}`.trimEnd();
}

function eventJson(event: SessionEvent) {
  return {
    type: typeOf(event),
    number: Number(event.number),
    at: formatTime(event.time),
    fileId: event.fileId,
    fileName: event.fileName,
    failure: event.failure?.message?.defaultMessage,
  };
}

function progressJson(files: readonly { readonly fileId: string; readonly committedOffset: bigint }[]) {
  const moved = files.map(({ fileId, committedOffset }) => ({ fileId, committedOffset: Number(committedOffset) }));
  return { type: "progress", files: moved };
}

/** A newer server may tell what this program has no word for. */
function typeOf({ type }: SessionEvent): string {
  return type === SessionEventType.UNSPECIFIED ? "unknown" : (SessionEventType[type]?.toLowerCase() ?? "unknown");
}

function parseAfter(text: string): number {
  return parseWhole(text, "--after", 0, 10 ** 15 - 1);
}
