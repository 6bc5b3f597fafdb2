import { type File, FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { type Session, SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import type { UploadClient } from "./connection/client.js";
import type { Retry } from "./connection/retry.js";
import { defineServerCommand } from "./connection/server-command.js";
import type { Context } from "./shell/command.js";
import { formatBytes, formatForeign, formatTime } from "./shell/format.js";
import { printJson, printRows } from "./shell/output.js";
import { findSha256 } from "./transfer/content-hash.js";
import { listFiles, listSessions } from "./transfer/listing.js";
import { pathOf } from "./transfer/output-paths.js";

export const ls = defineServerCommand({
  path: "ls",
  summary: "list sessions, or the files of one",
  description: "Lists the sessions that you may see, newest first, or the files of one.",
  operands: { shape: "[SESSION]", least: 0, most: 1 },
  examples: ["slipway ls", "slipway ls 6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "slipway ls --json"],
  async run({ operands, client, retry, context, json }) {
    const [sessionId] = operands;
    if (sessionId === undefined) await printSessions(client, retry, context, json);
    else await printFiles(client, retry, context, json, sessionId);
    return 0;
  },
});

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
  printRows(context, ["SESSION", "STATE", "FILES", "CREATED", "LABEL"], rows, "there are no sessions");
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
  printRows(context, ["SIZE", "STATE", "SHA256", "PATH"], rows, "the session has no files");
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
