import type { JsonValue } from "../../core/index.js";
import { HttpProblem } from "./problem.js";

const maxDepth = 100;
/** Some values take many times the memory of their text. */
const maxValues = 1_000_000;

/**
 * Text as JSON; throws `HttpProblem` 400. Members are the value's own, whatever they are called: `__proto__` is a name as
 * any other.
 */
export function parseJson(text: string): JsonValue {
  if (/^\s*$/.test(text)) throw new HttpProblem(400, "the body is empty where JSON is expected");
  assertBounded(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpProblem(400, `the body is not JSON: ${tidy((error as Error).message)}`);
  }
}

/** The parser's words may have a piece of the body in them. */
function tidy(message: string): string {
  return message.replaceAll(/[\s\p{C}]+/gu, " ").slice(0, 200);
}

/** What is read here is walked through by functions that call themselves. */
function assertBounded(text: string): void {
  let depth = 0;
  let values = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted) {
      if (char === "\\") at++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === "[" || char === "{") {
      if (++depth > maxDepth) throw new HttpProblem(400, `the JSON is nested deeper than ${maxDepth} levels`);
      values++;
    } else if (char === "]" || char === "}") depth--;
    else if (char === ",") values++;
    if (values > maxValues) throw new HttpProblem(400, `the JSON has more than ${maxValues} values`);
  }
}
