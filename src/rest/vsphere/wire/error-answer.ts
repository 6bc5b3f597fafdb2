import type { WireRequest, WireResponse } from "../../kit/index.js";
import { statusOf, type VapiError } from "../errors.js";
import { login } from "../operations/login.js";
import { localizableMessage } from "../operations/models.js";
import { list, struct, text } from "../schema.js";
import { actionsOf } from "./actions.js";
import { linesOf } from "./lines.js";
import { answerTypeFor } from "./media-types.js";
import { familyOf } from "./names.js";
import { toJson } from "./to-json.js";
import { toXml, xmlDocument } from "./to-xml.js";

const messages = list(localizableMessage);
const value = struct({ messages });

/** An error in the words of the API's generation, and in what the client reads. */
export function answerError(error: VapiError, request: WireRequest): WireResponse {
  const family = familyOf(request.path);
  const type = answerTypeFor(request);
  const status = statusOf(error, family);
  const challenge = status === 401 && asksForLogin(request) ? { "www-authenticate": 'Basic realm="Slipway"' } : {};
  const headers = { "cache-control": "no-store", ...challenge, ...error.headers, "content-type": type };
  if (family === "api") return { status, headers, body: JSON.stringify(apiBody(error)) };
  if (type === "application/json") return { status, headers, body: JSON.stringify(restBody(error)) };
  const members = toXml("type", text, typeName(error)) + toXml("value", value, error);
  return { status, headers, body: xmlDocument("Error", "http://vmware.com/vapi/std/errors", members) };
}

/** The same in JSON for whatever generation. */
export function errorBodyOfBoth(error: VapiError): string {
  return JSON.stringify({ ...restBody(error), ...apiBody(error) });
}

function restBody(error: VapiError) {
  return { type: typeName(error), value: toJson(value, error) };
}

function apiBody(error: VapiError) {
  return { error_type: error.type.toUpperCase(), messages: toJson(messages, error.messages) };
}

function typeName({ type }: VapiError): string {
  return `com.vmware.vapi.std.errors.${type}`;
}

const loginPlaces = new Set(linesOf(login.create).map(({ line }) => line.split("?")[0]));

/** Whether a request is the one that a name and a password are shown with: there alone a browser may ask for them. */
function asksForLogin(request: WireRequest): boolean {
  if (!loginPlaces.has(`${request.method} ${request.path}`)) return false;
  return actionsOf(request).actions.every((action) => action === login.create.name);
}
