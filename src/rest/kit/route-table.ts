// Which row of a dialect's table a request is for.
import createRouter from "find-my-way";
import { HttpProblem } from "./problem.js";
import { parseQuery, type Query } from "./query.js";
import { parseRouteLine, type RouteLine } from "./route-line.js";
import type { WireRequest } from "./wire.js";

export interface RouteTable<R> {
  /** Throws `HttpProblem` 400 for a path, and for the query of a known path, whose percent-escapes mean nothing. */
  find(request: Pick<WireRequest, "method" | "path" | "query">): Found<R> | Lost;
}

export interface Found<R> {
  readonly row: R;
  /** Decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
}

/** No row, and the methods that the path has: none if it is unknown. */
export interface Lost {
  readonly row: undefined;
  readonly allow: readonly string[];
}

export interface TableManners {
  readonly trailingSlash: "optional" | "significant";
  readonly queryNames: "exact" | "any case";
}

interface Candidate<R> extends Pick<RouteLine, "names" | "words"> {
  readonly row: R;
}

const maxParamLength = 4_096;

/**
 * Paths are told apart by case. Of the rows with one method and path the one that asks for most of the query comes first.
 * A row for GET is one for HEAD, too, unless there is another. Throws `TypeError` for a table that contradicts itself.
 */
export function createRouteTable<R extends { readonly line: string }>(
  rows: readonly R[],
  { trailingSlash, queryNames }: TableManners,
): RouteTable<R> {
  const router = createRouter({ maxParamLength, ignoreTrailingSlash: trailingSlash === "optional" });
  const groups = new Map<string, Candidate<R>[]>();
  const methods = new Set<string>();
  for (const row of rows) {
    const { method, pattern, names, words } = parseRouteLine(row.line);
    const key = `${method} ${pattern}`;
    const group = groups.get(key) ?? [];
    if (!groups.has(key)) router.on(method, pattern, () => undefined, group);
    if (group.some((other) => isSame(other.words, words))) throw new TypeError(`${row.line} is there twice`);
    group.push({ row, names, words });
    group.sort((a, b) => weightOf(b.words) - weightOf(a.words));
    groups.set(key, group);
    methods.add(method);
  }

  function lookUp(method: string, path: string, query: () => Query): Found<R> | undefined {
    const found = methods.has(method) ? router.find(method as RouteLine["method"], path) : null;
    if (found === null) return undefined;
    const values = Object.values(found.params as Record<string, string>);
    if (values.includes("")) return undefined;
    const group = found.store as readonly Candidate<R>[];
    const chosen = group.find(({ words }) => words.every((word) => isSaid(word, query())));
    if (chosen === undefined) return undefined;
    const params = Object.fromEntries(chosen.names.map((name, at) => [name, values[at]!]));
    return { row: chosen.row, params, query: query() };
  }

  return {
    find({ method, path: sent, query: text }) {
      const path = normalizePath(sent);
      let parsed: Query | undefined;
      const query = () => {
        parsed ??= parseQuery(text, queryNames);
        return parsed;
      };
      const found = lookUp(method, path, query) ?? (method === "HEAD" ? lookUp("GET", path, query) : undefined);
      if (found !== undefined) return found;
      const allow = [...methods].filter((other) => lookUp(other, path, query) !== undefined);
      const more = allow.length === 0 ? [] : allow.includes("GET") ? ["HEAD", "OPTIONS"] : ["OPTIONS"];
      return { row: undefined, allow: [...new Set([...allow, ...more])] };
    },
  };
}

/** As it is looked up: a colon may be sent as it is or not, wherever it stands (the library wants it as it is). */
function normalizePath(path: string): string {
  let plain: string | undefined;
  try {
    plain = decodeURIComponent(path);
  } catch {
    // It is none.
  }
  if (plain === undefined) throw new HttpProblem(400, "a percent-escape in the path means nothing");
  if (!path.startsWith("/") || path.includes("#")) throw new HttpProblem(400, "this is no path");
  return path.replaceAll(/%3a/gi, ":");
}

function isSaid({ name, value }: RouteLine["words"][number], query: Query): boolean {
  const said = query.get(name);
  return said !== undefined && (value === undefined || said === value);
}

/** How much of the query a row asks for: names count before values. */
function weightOf(words: RouteLine["words"]): number {
  return words.reduce((sum, { value }) => sum + (value === undefined ? 1_000 : 1_001), 0);
}

function isSame(a: RouteLine["words"], b: RouteLine["words"]): boolean {
  const text = (words: RouteLine["words"]) => words.map(({ name, value }) => JSON.stringify([name, value])).sort();
  return JSON.stringify(text(a)) === JSON.stringify(text(b));
}
