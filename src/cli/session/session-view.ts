// Sessions and their files as people and programs get them printed.
import { FailureReason } from "../../../gen/slipway/upload/v1/failure_pb.js";
import { type File, FileState } from "../../../gen/slipway/upload/v1/file_pb.js";
import {
  type Session,
  SessionAccess,
  SessionState,
  SessionVisibility,
} from "../../../gen/slipway/upload/v1/session_pb.js";
import type { Context } from "../shell/command.js";
import { formatBytes, formatForeign, formatMoment, formatTime } from "../shell/format.js";
import { printRows } from "../shell/output.js";
import { findSha256 } from "../transfer/content-hash.js";
import { pathOf } from "../transfer/output-paths.js";

export function sessionJson(session: Session) {
  return {
    id: session.id,
    state: SessionState[session.state].toLowerCase(),
    label: session.label,
    files: session.fileCount,
    origin: session.origin,
    itemId: session.itemId,
    access: SessionAccess[session.access].toLowerCase(),
    visibility: SessionVisibility[session.visibility].toLowerCase(),
    ownerUserId: session.ownerUserId,
    attributes: session.attributes ?? {},
    progress: session.clientProgress,
    lastEvent: Number(session.lastEventNumber),
    createdAt: formatTime(session.createTime),
    updatedAt: formatTime(session.updateTime),
    expiresAt: formatTime(session.expireTime) || undefined,
    endedAt: formatTime(session.endTime) || undefined,
    failure: session.failure?.message?.defaultMessage,
    failureReason: session.failure && FailureReason[session.failure.reason].toLowerCase(),
  };
}

export function fileJson(file: File) {
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

export function printSessions(context: Context, sessions: readonly Session[]): void {
  const rows = sessions.map((session) => [
    session.id,
    SessionState[session.state].toLowerCase(),
    String(session.fileCount),
    formatMoment(session.createTime),
    formatForeign(session.label),
  ]);
  printRows(context, ["SESSION", "STATE", "FILES", "CREATED", "LABEL"], rows, "there are no sessions");
}

export function printFiles(context: Context, files: readonly File[]): void {
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
