// Times, sizes and counts as settings write them. Each answers undefined for what is none.

export const hourMs = 3_600_000;

/** The number where its text was well formed and it is within the bounds. */
export function parseWithin(value: number, wellFormed: boolean, least: number, most: number): number | undefined {
  return wellFormed && Number.isSafeInteger(value) && value >= least && value <= most ? value : undefined;
}

/** `90s`, `5m`, `1h`, `7d`, `250ms` in milliseconds, more than zero and at most ten years. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  const unit = { ms: 1, s: 1000, m: 60_000, h: hourMs, d: 24 * hourMs }[match?.[2] ?? ""];
  return parseWithin(Number(match?.[1]) * (unit ?? Number.NaN), match !== null, 1, 3650 * 24 * hourMs);
}

/** A duration that a timer can wait: Node takes a longer one for one millisecond. */
export function parseInterval(text: string): number | undefined {
  const ms = parseDuration(text);
  return ms !== undefined && ms <= 24 * 24 * hourMs ? ms : undefined;
}

/** `4096`, `64KiB`, `8MiB`, `2GiB`, `1TiB` in bytes. */
export function parseBytes(text: string, least: number): number | undefined {
  const match = /^(\d+)(KiB|MiB|GiB|TiB|)$/.exec(text);
  const power = ["", "KiB", "MiB", "GiB", "TiB"].indexOf(match?.[2] ?? "-");
  return parseWithin(Number(match?.[1]) * 1024 ** power, match !== null, least, Number.MAX_SAFE_INTEGER);
}
