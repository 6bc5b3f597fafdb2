import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { ErrorInfoSchema, ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { FileError } from "../../../src/cli/shell/cli-error.js";
import {
  brokenRequestOf,
  describeError,
  isConnectionLost,
  isFileError,
  isTransient,
} from "../../../src/cli/connection/rpc-error.js";

const withReason = (code: Code, reason: ErrorReason, message = "words") =>
  new ConnectError(message, code, undefined, [{ desc: ErrorInfoSchema, value: { reason } }]);

function caused(code: Code, systemCode: string): ConnectError {
  const error = new ConnectError("broken", code);
  error.cause = Object.assign(new Error("system"), { code: systemCode });
  return error;
}

describe("an error of a call", () => {
  it.each([
    ["unavailable", new ConnectError("x", Code.Unavailable)],
    ["aborted without a reason, as for a reset connection", new ConnectError("x", Code.Aborted)],
    ["deadline", new ConnectError("x", Code.DeadlineExceeded)],
    ["unknown", new ConnectError("x", Code.Unknown)],
    ["EPIPE", caused(Code.Internal, "EPIPE")],
    ["a cut answer", new ConnectError("protocol error: missing EndStreamResponse", Code.InvalidArgument)],
    ["a cut message", new ConnectError("protocol error: promised 100 bytes, received 7", Code.InvalidArgument)],
    ["a database that is away", withReason(Code.Unavailable, ErrorReason.DATABASE_UNAVAILABLE)],
    ["another offset", withReason(Code.OutOfRange, ErrorReason.OFFSET_UNEXPECTED)],
    ["a missing finish", withReason(Code.FailedPrecondition, ErrorReason.FINISH_MISSING)],
  ])("is worth another try: %s", (_, error) => {
    expect(isTransient(error)).toBe(true);
  });

  it.each([
    ["a superseded writer", withReason(Code.Aborted, ErrorReason.WRITER_SUPERSEDED)],
    ["a bug", new ConnectError("internal error", Code.Internal)],
    ["a wrong token", withReason(Code.Unauthenticated, ErrorReason.TOKEN_INVALID)],
    ["a wrong request", new ConnectError("protocol error: invalid connect timeout value: x", Code.InvalidArgument)],
    ["something that is no such service", new ConnectError("unsupported content type text/html", Code.Unknown)],
    ["an error of our own", new FileError("a.bin changed")],
  ])("is final: %s", (_, error) => {
    expect(isTransient(error)).toBe(false);
  });

  it("concerns one file or the whole session", () => {
    expect(isFileError(withReason(Code.DataLoss, ErrorReason.CHECKSUM_DIFFERS))).toBe(true);
    expect(isFileError(new FileError("a.bin changed"))).toBe(true);
    expect(isFileError(withReason(Code.FailedPrecondition, ErrorReason.SESSION_EXPIRED))).toBe(false);
    expect(isFileError(new ConnectError("internal error", Code.Internal))).toBe(false);
  });

  it("is a lost connection by its cause only", () => {
    expect(isConnectionLost(caused(Code.Aborted, "ECONNRESET"))).toBe(true);
    expect(isConnectionLost(withReason(Code.Unavailable, ErrorReason.STORAGE_UNAVAILABLE))).toBe(false);
  });

  it("is told with code, reason, message and limit", () => {
    const limit = { setting: "SLIPWAY_MAX_SESSION_FILES", value: 10n };
    const reason = ErrorReason.TOO_MANY_FILES;
    const error = new ConnectError("too many\u001b", Code.ResourceExhausted, undefined, [
      { desc: ErrorInfoSchema, value: { reason, limit } },
    ]);
    expect(describeError(error)).toBe(
      "resource_exhausted TOO_MANY_FILES: too many\\x1b (SLIPWAY_MAX_SESSION_FILES is 10)",
    );
    expect(describeError(new ConnectError("gone", Code.Unavailable))).toBe("unavailable: gone");
    expect(describeError(new Error("plain"))).toBe("plain");
  });
});

it("a plain 400 is final, but a broken line while bytes are on their way", () => {
  const plain = new ConnectError("HTTP 400", Code.Internal);
  expect(isTransient(plain)).toBe(false);
  expect(isTransient(brokenRequestOf(plain))).toBe(true);
  const said = withReason(Code.InvalidArgument, ErrorReason.NAME_INVALID, "HTTP 400");
  expect(brokenRequestOf(said)).toBe(said);
});
