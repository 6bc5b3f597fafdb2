import { invalid } from "../../core/index.js";

/** A whole number from 0 to 2^53-1 in decimal digits and nothing else. Throws `invalid` (NUMBER_INVALID). */
export function parseHeaderNumber(text: string, name: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw invalid(
      "NUMBER_INVALID",
      `${name} must be a whole number from 0 to 2^53-1, not ${JSON.stringify(shown(text))}`,
    );
  }
  return value;
}

export function shown(text: string): string {
  return text.slice(0, 80);
}
