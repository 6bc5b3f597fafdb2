import type { WireResponse } from "../kit/index.js";
import type { DateOffset } from "./dates.js";
import { type Printable, prettyJson, prettyList } from "./json.js";

const headers = { "content-type": "application/json" };

export const noContent: WireResponse = { status: 204, headers: {} };

export function jsonAnswer(status: number, value: Printable, offset?: DateOffset): WireResponse {
  return { status, headers, body: prettyJson(value, offset), compressible: true };
}

/** 200 with a list of things, written as they come, and how many there are in all. */
export function listAnswer<T>(
  list: { readonly member: string; readonly things: AsyncIterable<T>; readonly total: number },
  print: (thing: T) => Printable,
  offset?: DateOffset,
): WireResponse {
  const { member, things, total } = list;
  async function* printed() {
    for await (const thing of things) yield print(thing);
  }
  async function* encoded() {
    const encoder = new TextEncoder();
    for await (const piece of prettyList(member, printed(), () => total, offset)) yield encoder.encode(piece);
  }
  return { status: 200, headers, body: encoded(), compressible: true };
}
