// `METHOD /path/{name}?word=value`, as a row of a dialect's table is written.
import type { HTTPMethod } from "find-my-way";

export interface RouteLine {
  readonly method: HTTPMethod;
  /** In find-my-way's words, with parameters that are called by their places: `/a/:0`. */
  readonly pattern: string;
  /** What the parameters are called, in their order. */
  readonly names: readonly string[];
  /** What the query has to say; a word without a value is about its name alone. */
  readonly words: readonly { readonly name: string; readonly value: string | undefined }[];
}

/** Throws `TypeError` for a line that is not well formed: it is a slip of our own. */
export function parseRouteLine(line: string): RouteLine {
  const [, method, path, query] = /^([A-Z]+) (\/[^\s?*]*)(?:\?(\S+))?$/.exec(line) ?? [];
  if (method === undefined || path === undefined) throw new TypeError(`${line} is no line of a table`);
  const names: string[] = [];
  const pattern = path.replaceAll(/\{([^{}]*)\}(?=(.?))|:/g, (found, name: string | undefined, next: string) => {
    // The library takes a colon of the path for a parameter, unless there are two, and reads a name up to one of these.
    if (name === undefined) return found === ":" ? "::" : found;
    if (!/^\w+$/.test(name) || !["", "/", "-", "."].includes(next)) throw new TypeError(`${line} has a strange {name}`);
    return `:${names.push(name) - 1}`;
  });
  if (new Set(names).size < names.length) throw new TypeError(`${line} has a name twice`);
  if (/[{}]/.test(pattern)) throw new TypeError(`${line} has a strange {name}`);
  const words = (query ?? "").split("&").filter((word) => word !== "");
  return {
    method: method as HTTPMethod,
    pattern,
    names,
    words: words.map((word) => {
      const [name = "", ...value] = word.split("=");
      return { name, value: value.length === 0 ? undefined : value.join("=") };
    }),
  };
}
