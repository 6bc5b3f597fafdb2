// Errors in the API's words: lists of errors as 422, and plain text.
import { isUploadError, type UploadError } from "../../core/index.js";
import { HttpProblem, type WireResponse } from "../kit/index.js";
import { jsonAnswer } from "./answers.js";
import { CqlError } from "./cql/query.js";
import { type ErrorEntry, FolioErrors, FolioRefusal, textAnswer } from "./errors.js";

/** What is answered where nobody foresaw what happened, and where storage or database fail. */
export const apology = textAnswer(500, "Internal Server Error, Please contact System Administrator or try again");

/** The answer to an error that somebody foresaw; undefined for every other one. */
export function refuse(error: unknown): WireResponse | undefined {
  if (error instanceof FolioRefusal) return textAnswer(error.status, error.message);
  if (error instanceof HttpProblem) return answerProblem(error);
  if (error instanceof FolioErrors) return listErrors(error.errors, error.options.tellsTotal);
  if (error instanceof CqlError) {
    const parameters = [{ key: error.near, value: "" }];
    return listErrors([{ message: error.message, type: "1", code: "-1", parameters }]);
  }
  return isUploadError(error) ? answerUploadError(error) : undefined;
}

/** Which media type and which length a body may have are told by 400; the rest of HTTP keeps its statuses. */
function answerProblem({ status, message, headers }: HttpProblem): WireResponse {
  const answer = textAnswer(status === 415 ? 400 : status, message);
  return { ...answer, headers: { ...headers, ...answer.headers } };
}

function answerUploadError({ code, message, details }: UploadError): WireResponse {
  switch (code) {
    case "unauthenticated":
      return textAnswer(401, "Invalid token");
    case "denied":
      return textAnswer(403, message);
    case "not_found":
      return textAnswer(404, message);
    case "too_large":
      return textAnswer(413, message + limitOf(details));
    case "too_many":
      return details.reason === "LOGIN_THROTTLED" ? textAnswer(429, message) : refuseWords(message + limitOf(details));
    case "invalid":
    case "unsupported":
    case "already_exists":
      return refuseWords(message);
    case "conflict":
    case "busy":
    case "wrong_state":
    case "incomplete":
    case "superseded":
    case "offset_mismatch":
    case "expired":
    case "checksum_mismatch":
      return textAnswer(400, message);
    case "damaged":
    case "unavailable":
      return apology;
  }
}

/** The setting that an operator would have to raise. */
function limitOf({ limit }: UploadError["details"]): string {
  return limit === undefined ? "" : ` (${limit.setting}=${limit.value})`;
}

function refuseWords(message: string): WireResponse {
  return listErrors([{ message, type: "1", code: "-1", parameters: [] }]);
}

function listErrors(errors: readonly ErrorEntry[], tellsTotal = false): WireResponse {
  const listed = errors.map(({ message, type, code, parameters }) => ({ message, type, code, parameters }));
  return jsonAnswer(422, { errors: listed, total_records: tellsTotal ? errors.length : undefined });
}
