import { Code, ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { type ErrorInfo, ErrorInfoSchema, ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { FileError, systemCodeOf } from "../shell/cli-error.js";
import { formatForeign } from "../shell/format.js";

const networkCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENETRESET",
  "EAI_AGAIN",
  "ENOTFOUND",
  "HPE_INVALID_EOF_STATE",
  "HPE_INVALID_CONSTANT",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_WRITE_AFTER_END",
  "ERR_STREAM_DESTROYED",
  "ERR_HTTP2_SESSION_ERROR",
  "ERR_HTTP2_STREAM_ERROR",
  "ERR_HTTP2_GOAWAY_SESSION",
  "ERR_HTTP2_INVALID_SESSION",
  "ERR_HTTP2_INVALID_STREAM",
  "ERR_HTTP2_STREAM_CANCEL",
]);

/** Those of a connection that never came about. */
const unheardCodes = new Set(["ECONNREFUSED", "EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "EAI_AGAIN", "ENOTFOUND"]);

/** Node tells it by these words alone. */
const refusedStream = "Stream closed with error code NGHTTP2_REFUSED_STREAM";

/** An answer that was cut in the middle comes out as a broken message. */
const cutAnswer =
  /^(protocol error: (incomplete envelope|promised \d+ bytes|missing (EndStreamResponse|(response|output) message|trailer|status))|sentinel completed early)/;

/** Codes that mean a broken or tired connection when no service stands behind them. */
const transientCodes = new Set([Code.Unavailable, Code.Aborted, Code.Unknown, Code.DeadlineExceeded, Code.Canceled]);

/** Reasons that asking where the file stands, and going on from there, cures. */
const resumableReasons = new Set([ErrorReason.OFFSET_UNEXPECTED, ErrorReason.FINISH_MISSING]);

/** Reasons that concern one file; the others of the session can go on. */
const fileReasons = new Set([
  ErrorReason.BYTES_DIFFER,
  ErrorReason.CHECKSUM_DIFFERS,
  ErrorReason.CONTENT_DAMAGED,
  ErrorReason.FILE_EXISTS,
  ErrorReason.FILE_NOT_FOUND,
  ErrorReason.NAME_INVALID,
  ErrorReason.NO_CONTENT,
  ErrorReason.SIZE_DIFFERS,
  ErrorReason.SIZE_EXCEEDED,
]);

/** The detail that every error of the service carries; absent where the error never came from it. */
export function errorInfoOf(error: unknown): ErrorInfo | undefined {
  return error instanceof ConnectError ? error.findDetails(ErrorInfoSchema)[0] : undefined;
}

export function isReason(error: unknown, reason: ErrorReason): boolean {
  return errorInfoOf(error)?.reason === reason;
}

/** True when trying again later may help: the connection broke, or the service says so itself. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  const info = errorInfoOf(error);
  if (info !== undefined) return error.code === Code.Unavailable || resumableReasons.has(info.reason);
  // Something that is no such service will not become one.
  if (error.rawMessage.startsWith("unsupported content type")) return false;
  return transientCodes.has(error.code) || isConnectionLost(error);
}

/**
 * What an error is where bytes were on their way to a service that had answered before: a plain 400 is how a server of
 * HTTP says that the request broke off, and no word of the service.
 */
export function brokenRequestOf(error: unknown): unknown {
  if (!(error instanceof ConnectError) || error.rawMessage !== "HTTP 400" || errorInfoOf(error) !== undefined) {
    return error;
  }
  return new ConnectError("the request was cut on its way", Code.Unavailable, undefined, undefined, error);
}

/**
 * True when no server has looked at the call: there was no connection to send it by, or HTTP/2 itself refused it, as it
 * does where a server that stops had taken its last call (RFC 9113, 8.7).
 */
export function isUnheard(error: unknown): boolean {
  if (!(error instanceof ConnectError) || errorInfoOf(error) !== undefined) return false;
  return hasNetworkCode(error, unheardCodes) || (error.cause !== undefined && error.rawMessage === refusedStream);
}

/** True when the connection is the trouble, and not the service behind it. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof ConnectError && cutAnswer.test(error.rawMessage)) return true;
  return hasNetworkCode(error, networkCodes);
}

function hasNetworkCode(error: unknown, codes: ReadonlySet<string>): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    if ("code" in cause && typeof cause.code === "string" && codes.has(cause.code)) return true;
  }
  return false;
}

/** True for what is wrong with one file and none of the others. */
export function isFileError(error: unknown): boolean {
  if (error instanceof FileError) return true;
  const info = errorInfoOf(error);
  return info === undefined ? systemCodeOf(error) !== undefined : fileReasons.has(info.reason);
}

/** One line for people: code, reason and message of the service, or the sentence of whatever else it was. */
export function describeError(error: unknown): string {
  if (!(error instanceof ConnectError)) return formatForeign(error instanceof Error ? error.message : String(error));
  const info = errorInfoOf(error);
  const reason = info === undefined || info.reason === ErrorReason.UNSPECIFIED ? "" : ` ${ErrorReason[info.reason]}`;
  const limit = info?.limit === undefined ? "" : ` (${info.limit.setting} is ${info.limit.value})`;
  return `${codeToString(error.code)}${reason}: ${formatForeign(error.rawMessage)}${limit}`;
}
