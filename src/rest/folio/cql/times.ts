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
  const [, year, month, day, hour, minute, second, fraction] = match;
  const millisecond = fraction?.slice(0, 3);
  const date = `${year}-${month ?? "01"}-${day ?? "01"}`;
  const time = `${hour ?? "00"}:${minute ?? "00"}:${second ?? "00"}.${(millisecond ?? "").padEnd(3, "0")}`;
  const first = new Date(`${date}T${time}Z`);
  // 30 February is read as 1 March, and 24:00 as the next day.
  if (Number.isNaN(first.getTime()) || first.toISOString() !== `${date}T${time}Z`) return undefined;
  const offset = readOffsetMs(match);
  if (offset === undefined) return undefined;

  const next = new Date(first);
  if (month === undefined) next.setUTCFullYear(first.getUTCFullYear() + 1);
  else if (day === undefined) next.setUTCMonth(first.getUTCMonth() + 1);
  else if (hour === undefined) next.setUTCDate(first.getUTCDate() + 1);
  else if (minute === undefined) next.setUTCHours(first.getUTCHours() + 1);
  else if (second === undefined) next.setUTCMinutes(first.getUTCMinutes() + 1);
  else next.setTime(first.getTime() + 1000 / 10 ** (millisecond?.length ?? 0));
  return { first: within(first.getTime() - offset), last: within(next.getTime() - 1 - offset) };
}

function readOffsetMs(match: RegExpExecArray): number | undefined {
  const [sign, hours = "0", minutes = "0"] = match.slice(8);
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  return (sign === "-" ? -60_000 : 60_000) * (Number(hours) * 60 + Number(minutes));
}

function within(time: number): Date {
  return new Date(Math.min(Math.max(time, earliest), latest));
}
