import { create, type DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues, type Interceptor } from "@connectrpc/connect";
import { ErrorInfoSchema, ErrorReason } from "../../gen/slipway/upload/v1/error_pb.js";
import {
  type AnswerCode,
  isServerTrouble,
  isUploadError,
  noteOf,
  type UploadError,
  type UploadErrorCode,
  type UploadErrorReason,
} from "../core/index.js";
import { malformed } from "./malformed.js";
import { requestKey } from "./request.js";

export type LogUnexpected = (error: unknown, method: string, requestId: string) => void;

const codes: Record<UploadErrorCode, Code> = {
  invalid: Code.InvalidArgument,
  unauthenticated: Code.Unauthenticated,
  denied: Code.PermissionDenied,
  not_found: Code.NotFound,
  already_exists: Code.AlreadyExists,
  conflict: Code.AlreadyExists,
  busy: Code.FailedPrecondition,
  wrong_state: Code.FailedPrecondition,
  incomplete: Code.FailedPrecondition,
  superseded: Code.Aborted,
  offset_mismatch: Code.OutOfRange,
  expired: Code.FailedPrecondition,
  checksum_mismatch: Code.DataLoss,
  too_large: Code.ResourceExhausted,
  too_many: Code.ResourceExhausted,
  unsupported: Code.InvalidArgument,
  damaged: Code.DataLoss,
  unavailable: Code.Unavailable,
};

/** The wire form of an error of the core. Its cause stays here. */
export function connectErrorFrom(error: UploadError): ConnectError {
  const { details } = error;
  const info = create(ErrorInfoSchema, {
    reason: ErrorReason[details.reason satisfies UploadErrorReason],
    code: error.code,
    ...(details.expectedOffset === undefined ? {} : { expectedOffset: BigInt(details.expectedOffset) }),
    ...(details.declared === undefined ? {} : { declared: details.declared }),
    ...(details.actual === undefined ? {} : { actual: details.actual }),
    ...(details.missing === undefined ? {} : { missing: [...details.missing] }),
    ...(details.limit === undefined
      ? {}
      : { limit: { setting: details.limit.setting, value: BigInt(details.limit.value) } }),
  });
  return new ConnectError(error.message, codes[error.code], undefined, [{ desc: ErrorInfoSchema, value: info }]);
}

/** What the library's own errors are in the words of the core. */
const libraryCodes: Partial<Record<Code, AnswerCode>> = {
  [Code.Canceled]: "canceled",
  [Code.DeadlineExceeded]: "deadline_exceeded",
  [Code.Internal]: "invalid",
  [Code.InvalidArgument]: "invalid",
  [Code.NotFound]: "not_found",
  [Code.ResourceExhausted]: "too_large",
  [Code.Unavailable]: "unavailable",
};

export type Translate = (error: unknown, method: DescMethod, values: ContextValues) => ConnectError;

/**
 * The wire form of whatever is thrown. What the server lacks is logged with its cause; what nobody foresaw, too, and
 * answered with fixed text.
 */
export function createTranslation(logUnexpected: LogUnexpected): Translate {
  return (error, method, values) => {
    const { id, note } = values.get(requestKey);
    const log = () => logUnexpected(error, `${method.parent.typeName}/${method.name}`, id);
    if (isUploadError(error)) {
      note?.(noteOf(error));
      if (isServerTrouble(error)) log();
      return connectErrorFrom(error);
    }
    // The library's own errors; with `internal` it says that it cannot read a message.
    if (error instanceof ConnectError) {
      note?.({ code: libraryCodes[error.code] ?? "refused" });
      return error.code === Code.Internal ? malformed() : error;
    }
    if (isAbort(error)) {
      note?.({ code: "canceled" });
      return new ConnectError("the call was cancelled", Code.Canceled);
    }
    note?.({ code: "internal" });
    log();
    return new ConnectError("internal error", Code.Internal);
  };
}

/** Translates whatever a method throws, once. */
export function createErrorInterceptor(logUnexpected: LogUnexpected): Interceptor {
  const translation = createTranslation(logUnexpected);
  return (next) => async (request) => {
    const translate = (error: unknown) => translation(error, request.method, request.contextValues);
    try {
      const response = await next(request);
      if (!response.stream) return response;
      return { ...response, message: translateStream(response.message, translate) };
    } catch (error) {
      throw translate(error);
    }
  };
}

async function* translateStream<T>(messages: AsyncIterable<T>, translate: (error: unknown) => ConnectError) {
  try {
    yield* messages;
  } catch (error) {
    throw translate(error);
  }
}

/** What Node says when the other end of a connection has gone. */
const goneCodes = new Set([
  "ECONNRESET",
  "EPIPE",
  "ERR_HTTP2_INVALID_STREAM",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_WRITE_AFTER_END",
]);

function isAbort(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return error.name === "AbortError" || goneCodes.has(code ?? "");
}
