// Sessions and their files as people and programs get them printed.
import { type FetchStatus, type File, FileState } from "../../../gen/slipway/upload/v1/file_pb.js";
import {
  type Session,
  SessionAccess,
  SessionState,
  SessionVisibility,
} from "../../../gen/slipway/upload/v1/session_pb.js";
import { CliError } from "../shell/cli-error.js";
import type { Context } from "../shell/command.js";
import { formatBytes, formatCount, formatForeign, formatMoment, formatTime } from "../shell/format.js";
import { printJson, printRows } from "../shell/output.js";
import { findSha256 } from "../transfer/content-hash.js";
import { pathOf } from "../transfer/output-paths.js";
import { failureJson } from "./failure-view.js";

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
    ...failureJson(session.failure),
  };
}

/** A session that came to an end, or was there before: then it was not `applied`. */
export function printEnd(
  context: Context,
  json: boolean,
  { session, applied }: { readonly session?: Session | undefined; readonly applied: boolean },
): void {
  if (session === undefined) throw new CliError("the server's answer holds no session");
  const { state, failure } = sessionJson(session);
  const why = failure === undefined ? "" : `: ${formatForeign(failure)}`;
  if (json) printJson(context, { session: sessionJson(session), applied });
  else context.out.write(`session ${session.id} is ${state}${applied ? "" : " already"}${why}\n`);
}

export function fileJson(file: File) {
  const size = findSize(file);
  return {
    id: file.id,
    name: file.spec?.name,
    path: pathOf(file),
    state: FileState[file.state].toLowerCase(),
    sizeBytes: size === undefined ? undefined : Number(size),
    committedOffset: Number(file.committedOffset),
    sha256: findSha256(file.content?.checksums),
    source: file.spec?.source?.uri,
    fetch: file.fetch && fetchJson(file.fetch),
    ...failureJson(file.failure),
  };
}

function fetchJson({ tries, problem, retryTime }: FetchStatus) {
  return { tries, ...failureJson(problem), retryAt: formatTime(retryTime) || undefined };
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

/** With a column for what is wrong where something is. */
export function printFiles(context: Context, files: readonly File[]): void {
  const problems = files.map(describeProblem);
  const isTold = problems.some((problem) => problem !== "");
  const rows = files.map((file, at) => [
    formatSizeOf(file),
    FileState[file.state].toLowerCase(),
    (findSha256(file.content?.checksums) ?? "").slice(0, 12).padEnd(12),
    formatForeign(pathOf(file)),
    ...(isTold ? [formatForeign(problems[at] ?? "")] : []),
  ]);
  const headings = ["SIZE", "STATE", "SHA256", "PATH", ...(isTold ? ["PROBLEM"] : [])];
  printRows(context, headings, rows, "the session has no files");
}

/** Why a file failed, or why it has not been fetched yet; empty where nothing is wrong. */
export function describeProblem({ failure, fetch }: File): string {
  if (failure !== undefined) return failure.message?.defaultMessage ?? "";
  if (fetch?.problem === undefined) return "";
  const tries = formatCount(fetch.tries, "try", "tries");
  return `${fetch.problem.message?.defaultMessage} (${tries}, the next at ${formatMoment(fetch.retryTime)})`;
}

/** Of a file under way, how much is there. */
export function formatSizeOf(file: File): string {
  const size = findSize(file);
  const whole = size === undefined ? "?" : formatBytes(Number(size));
  const partly = file.state === FileState.TRANSFERRING || file.state === FileState.WAITING;
  return partly && file.content === undefined ? `${formatBytes(Number(file.committedOffset))} of ${whole}` : whole;
}

/** The size that it has, or was said to have: by its client, or else by its source. */
function findSize({ content, spec, fetch }: File): bigint | undefined {
  return content?.sizeBytes ?? spec?.sizeBytes ?? fetch?.sourceSizeBytes;
}
