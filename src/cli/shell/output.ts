import type { Context } from "./command.js";
import { formatTable } from "./format.js";
import { unlessAborted } from "./interrupt.js";

export function printJson(context: Context, value: unknown): void {
  context.out.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** One object a line, for lists that have no end. */
export function printJsonLine(context: Context, value: unknown): void {
  context.out.write(`${JSON.stringify(value)}\n`);
}

/** Hands results on and waits until the reader has taken them: no more than that is kept in memory. */
export async function writeOut(context: Context, data: string | Uint8Array, signal: AbortSignal): Promise<void> {
  const taken = new Promise<void>((resolve, reject) => {
    context.out.write(data, (error) => (error ? reject(error) : resolve()));
  });
  await unlessAborted(taken, signal);
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
