const pattern = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,20}))?(?:[Zz]|([+-])(\d\d):(\d\d))?$/;

/** RFC 3339; a moment without a zone is in UTC, and what is finer than milliseconds is left out. Undefined for no such moment. */
export function findInstant(text: string): Date | undefined {
  const found = pattern.exec(text);
  if (found === null) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [fraction = "", sign, zoneHour = "0", zoneMinute = "0"] = found.slice(7);
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month);
  const isTime = hour <= 23 && minute <= 59 && second <= 60 && Number(zoneHour) <= 23 && Number(zoneMinute) <= 59;
  if (!isDay || !isTime) return undefined;
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, day);
  const zoneMinutes = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === "-" ? -1 : 1);
  moment.setUTCHours(hour, minute - zoneMinutes, second, Number(fraction.slice(0, 3).padEnd(3, "0")));
  // The zone may have moved it out of the years that can be written.
  const written = moment.getUTCFullYear();
  return written >= 0 && written <= 9999 ? moment : undefined;
}

function daysOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]!;
}
