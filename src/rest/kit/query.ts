import { shown } from "./header-number.js";
import { HttpProblem } from "./problem.js";

/** The decoded words of a query. Of several with one name the first counts. */
export interface Query {
  get(name: string): string | undefined;
}

/** `+` is a space. Throws `HttpProblem` 400 for an escape that means nothing. */
export function parseQuery(text: string, names: "exact" | "any case"): Query {
  const nameOf = names === "exact" ? (name: string) => name : (name: string) => name.toLowerCase();
  const words = new Map<string, string>();
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = nameOf(decode(equals < 0 ? pair : pair.slice(0, equals)));
    if (!words.has(name)) words.set(name, equals < 0 ? "" : decode(pair.slice(equals + 1)));
  }
  return { get: (name) => words.get(nameOf(name)) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new HttpProblem(400, `a percent-escape in the query means nothing: ${JSON.stringify(shown(text))}`);
  }
}
