// What the body of a request says, by its media type.
import type { JsonValue } from "../../../core/index.js";
import { HttpProblem, parseJson, parsePairs } from "../../kit/index.js";
import type { Family } from "../call.js";
import type { Operation } from "../operation.js";
import type { Type } from "../schema.js";
import { readJson } from "./from-json.js";
import { readPairs } from "./from-pairs.js";
import { readDocument } from "./from-xml.js";
import { mediaTypeOf, xmlTypes } from "./media-types.js";
import type { Problems } from "./problems.js";

export interface SentBody {
  readonly text: string;
  readonly contentType: string | undefined;
  readonly family: Family;
}

const formType = "application/x-www-form-urlencoded";

/**
 * What of the input is in the body; undefined for nothing. An empty body is one without a type, whatever it is said to be.
 * Throws 415 for a type that is not taken here, unless the body is JSON all the same.
 */
export async function readBody(operation: Operation, body: SentBody, problems: Problems): Promise<unknown> {
  const { text, contentType, family } = body;
  if (/^\s*$/.test(text)) return undefined;
  const said = mediaTypeOf(contentType);
  // No parameter begins with a brace: curl says that all it sends is a form, unless it is told otherwise.
  const type = said === formType && text.trimStart().startsWith("{") ? "" : said;
  if (family === "rest" && xmlTypes.includes(type)) return await readDocument(operation, text, problems);
  if (family === "rest" && type === formType) {
    return readPairs(operation.input, parsePairs(text, "form"), problems);
  }
  const sent = readAsJson(text, type, family);
  return family === "rest" ? readJson(operation.input, sent, "", problems) : readBare(operation, sent, problems);
}

function readAsJson(text: string, type: string, family: Family): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    if (type === "" || type === "application/json" || !(error instanceof HttpProblem)) throw error;
    const more = family === "rest" ? `, application/xml or ${formType}` : "";
    throw new HttpProblem(415, `a body here is application/json${more}`);
  }
}

/** Since 7 the body is the parameter itself; some clients wrap it all the same. */
function readBare({ input, api }: Operation, sent: JsonValue, problems: Problems): unknown {
  const name = api?.body;
  if (name === undefined || isWrapped(name, input.fields[name]!, sent)) return readJson(input, sent, "", problems);
  const value = readJson(input.fields[name]!, sent, name, problems);
  return value === undefined ? undefined : { [name]: value };
}

function isWrapped(name: string, type: Type, sent: JsonValue): boolean {
  const own = type.kind === "struct" && Object.hasOwn(type.fields, name);
  return !own && typeof sent === "object" && sent !== null && Object.hasOwn(sent, name);
}
