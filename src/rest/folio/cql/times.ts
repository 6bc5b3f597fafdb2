import { readInstant } from "../dates.js";
import { CqlError, type CqlTerm, literalOf } from "./query.js";

/** From the first millisecond to the last. */
export interface Period {
  readonly first: Date;
  readonly last: Date;
}

const form =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?(?:Z|([+\- ])(\d\d):?(\d\d)?)?)?)?)?$/i;

// What PostgreSQL can hold and what ISO texts of one length can say.
const earliest = Date.parse("0001-01-01T00:00:00.000Z");
const latest = Date.parse("9999-12-31T23:59:59.999Z");

/**
 * All of the year, month, day, hour, minute, second or millisecond that a term names, with or without a final `*`. UTC
 * where no offset is said; the plus of an offset may have become a blank on its way here. Undefined for a text that is no
 * time. Throws `CqlError` for any other wildcard.
 */
export function findPeriod(term: CqlTerm): Period | undefined {
  const end = term.at(-1);
  const stated = typeof end === "object" && end.any === "text" ? term.slice(0, -1) : term;
  const text = literalOf(stated).trim();
  const match = form.exec(text);
  const hasWildcard = term.some((piece) => typeof piece !== "string");
  if (hasWildcard && (match === null || stated.length > 1)) {
    throw new CqlError("a time takes one wildcard, a * after its year, month, day, hour, minute or second", text);
  }
  return match === null ? undefined : readPeriod(match);
}

function readPeriod(match: RegExpExecArray): Period | undefined {
  const parts = match.slice(1);
  const first = readInstant(parts);
  if (first === undefined) return undefined;
  // An offset stands behind an hour alone: years, months and days are those of UTC.
  const [, month, day, hour, minute, second, fraction] = parts;
  const next = new Date(first);
  if (month === undefined) next.setUTCFullYear(next.getUTCFullYear() + 1);
  else if (day === undefined) next.setUTCMonth(next.getUTCMonth() + 1);
  else if (hour === undefined) next.setUTCDate(next.getUTCDate() + 1);
  else if (minute === undefined) next.setUTCHours(next.getUTCHours() + 1);
  else if (second === undefined) next.setUTCMinutes(next.getUTCMinutes() + 1);
  else next.setTime(first + 1000 / 10 ** Math.min(fraction?.length ?? 0, 3));
  return { first: within(first), last: within(next.getTime() - 1) };
}

function within(time: number): Date {
  return new Date(Math.min(Math.max(time, earliest), latest));
}
