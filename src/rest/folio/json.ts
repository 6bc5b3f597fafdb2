// JSON in the layout that the API prints, which is the one of Jackson's default pretty printer.
import { type DateOffset, formatDate } from "./dates.js";

/** A JSON value, or a date; members that are undefined are left out. */
export type Printable =
  | null
  | Date
  | boolean
  | number
  | string
  | readonly Printable[]
  | { readonly [member: string]: Printable | undefined };

/** `"a" : 1`, a member a line, arrays along the line: `[ {` to `} ]`, and `[ ]` and `{ }` for nothing. */
export function prettyJson(value: Printable, offset?: DateOffset): string {
  return print(value, "", offset);
}

/**
 * The text of `prettyJson({ [member]: things, totalRecords })` in pieces of some KiB, for lists that are too long to be
 * held whole. `total` is asked when the last thing has been written.
 */
export async function* prettyList(
  member: string,
  things: AsyncIterable<Printable>,
  total: () => number | Promise<number>,
  offset?: DateOffset,
): AsyncGenerator<string> {
  let text = `{\n  ${JSON.stringify(member)} : [`;
  let separator = " ";
  for await (const thing of things) {
    text += separator + print(thing, "  ", offset);
    separator = ", ";
    if (text.length < pieceLength) continue;
    yield text;
    text = "";
  }
  yield `${text} ],\n  "totalRecords" : ${await total()}\n}`;
}

const pieceLength = 8192;

function print(value: Printable, indent: string, offset: DateOffset | undefined): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (value instanceof Date) return `"${formatDate(value, offset)}"`;
  if (isList(value)) {
    return value.length === 0 ? "[ ]" : `[ ${value.map((item) => print(item, indent, offset)).join(", ")} ]`;
  }
  const within = `${indent}  `;
  const members = Object.entries(value)
    .filter((entry): entry is [string, Printable] => entry[1] !== undefined)
    .map(([name, member]) => `\n${within}${JSON.stringify(name)} : ${print(member, within, offset)}`);
  return members.length === 0 ? "{ }" : `{${members.join(",")}\n${indent}}`;
}

function isList(value: object): value is readonly Printable[] {
  return Array.isArray(value);
}
