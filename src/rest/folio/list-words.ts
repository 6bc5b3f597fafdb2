import type { RoutedRequest } from "../kit/index.js";
import { FolioRefusal } from "./errors.js";

/** What is asked of a list: `query` in CQL, and the part of what it finds that is to be shown. */
export interface ListWords {
  readonly query: string;
  readonly offset: number;
  readonly limit: number;
}

const mostInt32 = 2 ** 31 - 1;

/** Throws 400 for a number that is none. How exactly things shall be counted is not looked at: they always are. */
export function readListWords(request: Pick<RoutedRequest, "query">): ListWords {
  return {
    query: request.query("query") ?? "",
    offset: readNumber(request.query("offset"), "offset", 0),
    limit: readNumber(request.query("limit"), "limit", 10),
  };
}

function readNumber(text: string | undefined, name: string, fallback: number): number {
  if (text === undefined) return fallback;
  const value = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || Math.abs(value) > mostInt32) {
    throw new FolioRefusal(400, `For input string: ${JSON.stringify(text.slice(0, 80))}`);
  }
  if (value < 0) throw new FolioRefusal(400, `${name} must not be negative, but it is ${value}`);
  return value;
}
