import { wrongUse } from "./cli-error.js";
import type { Options } from "./command.js";

/** The option of lists that may be long. */
export const limitOption = {
  limit: { type: "string", value: "N", summary: "print the first N only" },
} as const satisfies Options;

/** Without the option there is no limit. */
export function parseLimit(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw wrongUse(`--limit is a whole number from 1 on, not ${JSON.stringify(text)}`);
}
