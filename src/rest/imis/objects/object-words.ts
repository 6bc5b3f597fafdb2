// What requests about objects say.
import type { RoutedRequest, WireRequest } from "../../kit/index.js";
import { ImisError } from "../errors.js";

const usualPageSize = 50;
const maxPageSize = 1_000;

/** Throws `request_invalid`. */
export function readObjectPage({ query }: Pick<RoutedRequest, "query">) {
  return {
    pageStart: parseWithin(query("page_start"), "page_start", { usual: 0, least: 0, most: Number.MAX_SAFE_INTEGER }),
    pageSize: parseWithin(query("page_size"), "page_size", { usual: usualPageSize, least: 1, most: maxPageSize }),
  };
}

function parseWithin(
  text: string | undefined,
  name: string,
  { usual, least, most }: { readonly usual: number; readonly least: number; readonly most: number },
): number {
  if (text === undefined) return usual;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const shown = JSON.stringify(text.slice(0, 80));
  throw new ImisError("request_invalid", `${name} must be a whole number from ${least} to ${most}, not ${shown}`);
}

/**
 * The id at the end of a path, and where that is `.json`, which any path may end with, the id that it is a part of: names
 * that other faces brought in may end so themselves.
 */
export function readObjectId({ params, wire }: Pick<RoutedRequest<"objectId">, "params" | "wire">) {
  const { objectId } = params;
  return { objectId, otherId: hasSuffix(wire) ? `${objectId}.json` : undefined };
}

/** Whether a path ends with what any path may end with. */
export function hasSuffix({ path }: Pick<WireRequest, "path">): boolean {
  return /\.json\/?$/.test(decodeURIComponent(path));
}
