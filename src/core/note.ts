import { type UploadError, type UploadErrorCode, type UploadErrorReason, uploadErrorCodes } from "./error.js";

/**
 * How a request ended, in words that all faces share: `ok`, an error of the core, or what no operation says. `canceled`:
 * the client went. `deadline_exceeded`: its time was over. `refused`: the protocol itself did, before any operation was
 * asked. `internal`: a bug.
 */
export const answerCodes = ["ok", ...uploadErrorCodes, "canceled", "deadline_exceeded", "refused", "internal"] as const;

export type AnswerCode = (typeof answerCodes)[number];

/** What a face finds out about a request, for the log and the metrics. A later word replaces an earlier one. */
export interface RequestNote {
  readonly code?: AnswerCode;
  readonly reason?: UploadErrorReason;
  /** `tenant/name` of whoever asks. */
  readonly user?: string;
}

/** Takes such words down; never throws. */
export type TakeNote = (note: RequestNote) => void;

/** What is to be noted of an error of the core. */
export function noteOf(error: {
  readonly code: UploadErrorCode;
  readonly details: { readonly reason: UploadErrorReason };
}) {
  return { code: error.code, reason: error.details.reason } satisfies RequestNote;
}

/**
 * Whether an error is for whoever keeps the server, beside the client: something is lost, or something that lies behind
 * it is away. Whatever else it is, the client is told all of it and can bring it about as often as it likes.
 */
export function isServerTrouble({ code, cause }: Pick<UploadError, "code" | "cause">): boolean {
  return code === "damaged" || (code === "unavailable" && cause !== undefined);
}
