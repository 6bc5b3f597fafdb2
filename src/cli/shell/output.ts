import type { Context } from "./command.js";
import { formatTable } from "./format.js";

export function printJson(context: Context, value: unknown): void {
  context.out.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** One thing, a line a field: `name   value`. */
export function printFields(context: Context, fields: readonly (readonly [string, string])[]): void {
  context.out.write(formatTable(fields));
}

/** Many things, a line each under a line of headings; `none` is said beside the results when there are none. */
export function printRows(
  context: Context,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  none: string,
): void {
  if (rows.length === 0) context.err.write(`${none}\n`);
  else context.out.write(formatTable([headings, ...rows]));
}
