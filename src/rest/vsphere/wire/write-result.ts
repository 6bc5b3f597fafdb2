import type { WireRequest, WireResponse } from "../../kit/index.js";
import type { Operation } from "../operation.js";
import { answerTypeFor } from "./media-types.js";
import { familyOf, namespaceOf, rootOf } from "./names.js";
import { toJson } from "./to-json.js";
import { toXml, xmlDocument } from "./to-xml.js";

/** Answers have URLs in them that let in whoever knows them. */
const noStore = { "cache-control": "no-store" };

/** The answer to an operation that went well: 6.x wraps a result, and 7 and later tell by the status what it is. */
export function writeResult(operation: Operation, result: unknown, request: WireRequest): WireResponse {
  const { output, api } = operation;
  const isApi = familyOf(request.path) === "api";
  if (output === undefined) return { status: isApi ? 204 : 200, headers: noStore };
  const type = answerTypeFor(request);
  const headers = { ...noStore, "content-type": type };
  if (isApi) return { status: api?.status ?? 200, headers, body: JSON.stringify(toJson(output, result)) };
  if (type === "application/json") {
    return { status: 200, headers, body: JSON.stringify({ value: toJson(output, result) }) };
  }
  const body = xmlDocument(rootOf(operation, "Result"), namespaceOf(operation), toXml("value", output, result));
  return { status: 200, headers, body };
}
