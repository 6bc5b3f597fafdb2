import type { JsonValue } from "../../core/index.js";

const form =
  /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:Z|([+-])(\d{2}):?(\d{2})?)?)?$/i;

const first = Date.parse("0000-01-01T00:00:00.000Z");
const last = Date.parse("9999-12-31T23:59:59.999Z");

/** How UTC is written behind a time: as the API's document has it, or as its newer servers do. */
export const dateOffsets = ["+0000", "+00:00"] as const;

export type DateOffset = (typeof dateOffsets)[number];

/** `2019-03-21T15:36:49.583+0000`. */
export function formatDate(date: Date, offset: DateOffset = "+0000"): string {
  return date.toISOString().replace("Z", offset);
}

/**
 * A date of the years 0 to 9999 in any form that clients send: ISO 8601 with `Z`, `+0000`, `+00:00` or another offset, with
 * or without milliseconds, and milliseconds since 1970. UTC where no offset is said. Undefined for anything else.
 */
export function parseDate(value: JsonValue): Date | undefined {
  const time = typeof value === "string" ? readIso(value) : value;
  return typeof time === "number" && Number.isInteger(time) && time >= first && time <= last
    ? new Date(time)
    : undefined;
}

function readIso(text: string): number | undefined {
  const match = form.exec(text);
  return match === null ? undefined : readInstant(match.slice(1));
}

/**
 * The first millisecond (since 1970) of what year, month, day, hour, minute, second and fraction of it name, and the sign,
 * hours and minutes of an offset; what is left out is the first there is. Undefined where there is no such time.
 */
export function readInstant(parts: readonly (string | undefined)[]): number | undefined {
  const [year, month = "01", day = "01", hour = "00", minute = "00", second = "00", fraction = "", sign] = parts;
  const [offsetHours = "0", offsetMinutes = "0"] = parts.slice(8);
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, "0")}Z`;
  const time = Date.parse(local);
  // 30 February is read as 1 March, and 24:00 as the next day.
  if (Number.isNaN(time) || new Date(time).toISOString() !== local) return undefined;
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return undefined;
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  return sign === "-" ? time + offsetMs : time - offsetMs;
}
