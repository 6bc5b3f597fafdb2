import type { UploadError } from "./error.js";
import { invalid, isId, parseName } from "./values.js";

/** Where a list goes on: after this thing, in the list's order (newest first, then by id). */
export interface Position {
  readonly createdAt: Date;
  readonly id: string;
}

/** How many things, and where to go on, as a client says it. */
export interface PageInput {
  readonly size?: number;
  readonly cursor?: string;
}

export interface PageQuery {
  /** How many things at most, 1 to 1000. */
  readonly limit: number;
  readonly after?: Position | undefined;
}

export interface Page<T> {
  readonly things: readonly T[];
  /** Opaque to clients; undefined at the end. */
  readonly nextCursor: string | undefined;
}

export const defaultPageSize = 100;
export const maxPageSize = 1000;

/**
 * Reads what a client sent back; a size of 0 means the default, one over the maximum means the maximum. Throws
 * `invalid` (PAGE_INVALID).
 */
export function parsePage(input: PageInput): PageQuery {
  const limit = parseLimit(input);
  if (input.cursor === undefined || input.cursor === "") return { limit };
  const [time, id, rest] = decode(input.cursor).split(" ");
  // PostgreSQL's timestamps reach further than these, JavaScript's dates not much further.
  const createdAt = new Date(/^\d{1,15}$/.test(time ?? "") ? Number(time) : Number.NaN);
  if (rest !== undefined || Number.isNaN(createdAt.getTime()) || !isId(id ?? "")) throw foreignCursor();
  return { limit, after: { createdAt, id: id ?? "" } };
}

/**
 * Makes the page of `limit` things out of `limit + 1` that were asked for; fewer where they are large, for many a client
 * takes no message above 4 MiB.
 */
export function pageOf<T extends Position>(found: readonly T[], limit: number): Page<T> {
  const things = found.slice(0, countFitting(found, limit));
  const last = things.at(-1);
  return { things, nextCursor: found.length > things.length && last ? formatCursor(last) : undefined };
}

/** The same as `parsePage` for a list by name, which goes on after a name. */
export function parsePageByName(input: PageInput): { readonly limit: number; readonly afterName?: string } {
  const limit = parseLimit(input);
  if (input.cursor === undefined || input.cursor === "") return { limit };
  const afterName = nameFromCursor(input.cursor);
  if (afterName === undefined) throw foreignCursor();
  return { limit, afterName };
}

/** The same as `pageOf` for a list by name. */
export function pageByName<T extends { readonly name: string }>(found: readonly T[], limit: number): Page<T> {
  const things = found.slice(0, countFitting(found, limit));
  const last = things.at(-1);
  return { things, nextCursor: found.length > things.length && last ? formatNameCursor(last.name) : undefined };
}

/** In UTF-16 units of JSON, each of which is at most three bytes: under 4 MiB in any case. */
const mostPageUnits = (4 * 2 ** 20) / 3 - 65_536;

/** One thing at least, so that every list comes to its end. */
function countFitting(found: readonly object[], limit: number): number {
  let units = 0;
  for (const [at, thing] of found.slice(0, limit).entries()) {
    units += JSON.stringify(thing).length;
    if (units > mostPageUnits) return Math.max(at, 1);
  }
  return limit;
}

function parseLimit({ size = 0 }: PageInput): number {
  if (!Number.isSafeInteger(size) || size < 0) throw invalid("PAGE_INVALID", `page size may not be ${size}`);
  return size === 0 ? defaultPageSize : Math.min(size, maxPageSize);
}

function foreignCursor(): UploadError {
  return invalid("PAGE_INVALID", "page token was not made by this server");
}

function formatCursor(position: Position): string {
  return btoa(`${position.createdAt.getTime()} ${position.id}`);
}

/** A name may be any text, so a word before it tells the cursor from somebody else's. */
function formatNameCursor(name: string): string {
  return btoa(`name ${encodeURIComponent(name)}`);
}

function nameFromCursor(cursor: string): string | undefined {
  try {
    const name = parseName(decodeURIComponent(decode(cursor).slice("name ".length)), "name");
    return formatNameCursor(name) === cursor ? name : undefined;
  } catch {
    return undefined;
  }
}

function decode(cursor: string): string {
  try {
    return atob(cursor);
  } catch {
    return "";
  }
}
