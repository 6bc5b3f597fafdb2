import { parseArgs } from "node:util";
import { type File, FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { type Session, SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import { wrongUse } from "./cli-error.js";
import { connectClient, type UploadClient } from "./client.js";
import { type Command, type Context, connectionHelp, connectionOptions, printJson } from "./command.js";
import { findSha256 } from "./content-hash.js";
import { formatBytes, formatForeign, formatSeconds, formatTable, formatTime } from "./format.js";
import { withInterrupt } from "./interrupt.js";
import { listFiles, listSessions } from "./listing.js";
import { pathOf } from "./output-paths.js";
import { createRetry, type Retry } from "./retry.js";
import { describeError } from "./rpc-error.js";
import { readConnection } from "./settings.js";

const help = `Usage: slipway ls [OPTIONS] [SESSION]

Lists the sessions that you may see, newest first, or the files of one.

  --json             print one JSON object

Examples:
  slipway ls
  slipway ls 6f9619ff-8b86-4d01-b42d-00cf4fc964ff
  slipway ls --json

${connectionHelp.replace("(10m)", "(15s)")}`;

export const ls: Command = {
  name: "ls",
  summary: "list sessions, or the files of one",
  help,
  async run(words, context) {
    const { values, positionals } = parseArgs({ args: [...words], allowPositionals: true, options: connectionOptions });
    if (positionals.length > 1) throw wrongUse("name one session, or none");
    const connection = await readConnection({ "retry-for": "15s", ...values }, context.env);
    const client = connectClient(connection);
    try {
      await withInterrupt(async (signal) => {
        const retry = createRetry({
          retryForMs: connection.retryForMs,
          signal,
          notify: (error, delayMs) =>
            context.err.write(`${describeError(error)}, retrying in ${formatSeconds(delayMs)}\n`),
        });
        const [sessionId] = positionals;
        if (sessionId === undefined) await printSessions(client, retry, context, values.json === true);
        else await printFiles(client, retry, context, values.json === true, sessionId);
      });
      return 0;
    } finally {
      client.close();
    }
  },
};

async function printSessions(client: UploadClient, retry: Retry, context: Context, json: boolean): Promise<void> {
  const sessions = await listSessions(client, retry);
  if (json) return printJson(context, { sessions: sessions.map(sessionJson) });
  const rows = sessions.map((session) => [
    session.id,
    SessionState[session.state].toLowerCase(),
    String(session.fileCount),
    formatTime(session.createTime).replace(/\.\d+Z$/, "Z"),
    formatForeign(session.label),
  ]);
  if (rows.length === 0) context.err.write("there are no sessions\n");
  else context.out.write(formatTable([["SESSION", "STATE", "FILES", "CREATED", "LABEL"], ...rows]));
}

async function printFiles(
  client: UploadClient,
  retry: Retry,
  context: Context,
  json: boolean,
  sessionId: string,
): Promise<void> {
  const { session } = await retry.call((signal) => client.sessions.getSession({ sessionId }, { signal }));
  const files = await listFiles(client, retry, sessionId);
  if (json) return printJson(context, { session: session && sessionJson(session), files: files.map(fileJson) });
  const rows = files.map((file) => [
    sizeText(file),
    FileState[file.state].toLowerCase(),
    (findSha256(file.content?.checksums) ?? "").slice(0, 12).padEnd(12),
    formatForeign(pathOf(file)),
  ]);
  if (rows.length === 0) context.err.write("the session has no files\n");
  else context.out.write(formatTable([["SIZE", "STATE", "SHA256", "PATH"], ...rows]));
}

/** Of a file under way, how much is there. */
function sizeText(file: File): string {
  const size = file.content?.sizeBytes ?? file.spec?.sizeBytes;
  const whole = size === undefined ? "?" : formatBytes(Number(size));
  const partly = file.state === FileState.TRANSFERRING || file.state === FileState.WAITING;
  return partly && file.content === undefined ? `${formatBytes(Number(file.committedOffset))} of ${whole}` : whole;
}

function sessionJson(session: Session) {
  return {
    id: session.id,
    state: SessionState[session.state].toLowerCase(),
    label: session.label,
    files: session.fileCount,
    origin: session.origin,
    createdAt: formatTime(session.createTime),
    expiresAt: formatTime(session.expireTime) || undefined,
    endedAt: formatTime(session.endTime) || undefined,
    failure: session.failure?.message?.defaultMessage,
  };
}

function fileJson(file: File) {
  const size = file.content?.sizeBytes ?? file.spec?.sizeBytes;
  return {
    id: file.id,
    name: file.spec?.name,
    path: pathOf(file),
    state: FileState[file.state].toLowerCase(),
    sizeBytes: size === undefined ? undefined : Number(size),
    committedOffset: Number(file.committedOffset),
    sha256: findSha256(file.content?.checksums),
    failure: file.failure?.message?.defaultMessage,
  };
}
