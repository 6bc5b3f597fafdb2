// Sizes and times as people write and read them.
import { wrongUse } from "./cli-error.js";

const sizeUnits = ["B", "KiB", "MiB", "GiB", "TiB"] as const;
const timeUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `0 B`, `1.5 MiB`, `123 MiB`: three digits are enough. */
export function formatBytes(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  // From 1023.5 on, rounding would print "1024 KiB".
  while (value >= 1023.5 && unit < sizeUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value
    .toFixed(digits)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "")} ${sizeUnits[unit]}`;
}

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 05 min`. */
export function formatSeconds(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  if (whole < 7200) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

export function formatRate(sizeBytes: number, ms: number): string {
  return `${formatBytes(ms > 0 ? (sizeBytes * 1000) / ms : 0)}/s`;
}

/** `1MiB`, `64 KiB`, `4096`; k, m and g count in 1024s, too. */
export function parseBytes(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(?:i?b)?|b)?$/i.exec(text.trim());
  const power = match?.[2] === undefined ? 0 : "kmgt".indexOf(match[2].toLowerCase()) + 1;
  const value = match === null ? Number.NaN : Number(match[1]) * 1024 ** power;
  if (Number.isSafeInteger(value)) return value;
  throw wrongUse(`${what} is a size such as 64KiB or 1MiB, not ${JSON.stringify(text)}`);
}

/** `500ms`, `90s`, `10m`, `1h`, `7d`; a bare number is seconds. */
export function parseDuration(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text.trim());
  const value = match === null ? Number.NaN : Number(match[1]) * (timeUnits[match[2] ?? "s"] ?? Number.NaN);
  if (Number.isFinite(value)) return value;
  throw wrongUse(`${what} is a time such as 90s or 10m, not ${JSON.stringify(text)}`);
}

/** The same the other way: `7d`, `90s`, in the largest unit that it is a whole number of. */
export function formatDuration(ms: number): string {
  const fits = Object.entries(timeUnits).findLast(([, unit]) => ms >= unit && ms % unit === 0);
  return fits === undefined ? `${ms}ms` : `${ms / fits[1]}${fits[0]}`;
}

/** A time from the wire as `2026-01-02T03:04:05.678Z`. */
export function formatTime(time: { readonly seconds: bigint; readonly nanos: number } | undefined): string {
  return time === undefined ? "" : new Date(Number(time.seconds) * 1000 + time.nanos / 1e6).toISOString();
}

/** The same to the second, for people. */
export function formatMoment(time: { readonly seconds: bigint; readonly nanos: number } | undefined): string {
  return formatTime(time).replace(/\.\d+Z$/, "Z");
}

/** `1 file`, `2 files`. */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** A word that a POSIX shell reads back as it was. */
export function formatShellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Text from elsewhere, safe to print: control characters could move the cursor or recolour the terminal. */
export function formatForeign(text: string): string {
  return text.replace(/\p{Cc}/gu, (found) => `\\x${found.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** Columns of equal width, two blanks apart; the last one is left as it is. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  return rows
    .map(
      (row) => `${row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join("  ")}\n`,
    )
    .join("");
}
