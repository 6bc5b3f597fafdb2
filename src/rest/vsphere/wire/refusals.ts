import type { WireRequest, WireResponse } from "../../kit/index.js";
import { message, toVapiError, VapiError, vapiError } from "../errors.js";
import { actionsOf, noSuchOperation } from "./actions.js";
import { answerError, errorBodyOfBoth } from "./error-answer.js";

/** The answer to an error that somebody foresaw; undefined for every other one. */
export function refuse(error: unknown, request: WireRequest): WireResponse | undefined {
  const known = toVapiError(error);
  return known && answerError(known, request);
}

/** The answer where no operation is: at an unknown URL, with another method, or by a word that names none. */
export function lose(request: WireRequest, allow: readonly string[]): WireResponse {
  return answerError(lossOf(request, allow), request);
}

function lossOf(request: WireRequest, allow: readonly string[]): VapiError {
  const { method, path } = request;
  if (method === "POST" && actionsOf(request).actions.length > 0) return noSuchOperation(request);
  if (allow.length === 0) {
    const id = "com.vmware.vapi.rest.operationsForUrlNotFound";
    return vapiError("not_found", id, "no operation is at this URL", [path]);
  }
  const methods = allow.join(", ");
  const text = `${method} is not for this URL: it takes ${methods}`;
  return new VapiError("invalid_request", [message("method_not_allowed", text, [method, methods])], 405);
}

const unforeseen = vapiError("internal_server_error", "internal", "something went wrong in the server");

/** The answer to what nobody foresaw, whoever asked for whatever. */
export const apology: WireResponse = {
  status: 500,
  headers: { "content-type": "application/json", "cache-control": "no-store" },
  body: errorBodyOfBoth(unforeseen),
};
