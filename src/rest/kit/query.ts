import { shown } from "./header-number.js";
import { HttpProblem } from "./problem.js";

/** The decoded words of a query. Of several with one name the first counts. */
export interface Query {
  get(name: string): string | undefined;
}

/** Throws `HttpProblem` 400 for an escape that means nothing, wherever it stands. */
export function parseQuery(text: string, names: "exact" | "any case"): Query {
  const nameOf = names === "exact" ? (name: string) => name : (name: string) => name.toLowerCase();
  const words = new Map<string, string>();
  for (const [sent, value] of parsePairs(text)) {
    const name = nameOf(sent);
    if (!words.has(name)) words.set(name, value);
  }
  return { get: (name) => words.get(nameOf(name)) };
}

/**
 * The decoded names and values of a query or a form, in their order, one by one: whoever has seen enough may stop. `+` is a
 * space; a name alone has an empty value. Throws `HttpProblem` 400 for an escape that means nothing.
 */
export function* parsePairs(
  text: string,
  where: "query" | "form" = "query",
): Generator<readonly [name: string, value: string], void> {
  for (let start = 0, end = 0; start < text.length; start = end + 1) {
    end = text.indexOf("&", start);
    if (end < 0) end = text.length;
    if (end === start) continue;
    const pair = text.slice(start, end);
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals), where);
    yield [name, equals < 0 ? "" : decode(pair.slice(equals + 1), where)];
  }
}

function decode(text: string, where: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new HttpProblem(400, `a percent-escape in the ${where} means nothing: ${JSON.stringify(shown(text))}`);
  }
}
