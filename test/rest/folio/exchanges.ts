// A client's session as data: what it sends, and the whole of what it is answered. `<name>` in a text is an id that an
// earlier answer had there, and `<at:name>` a time; the first answer that has one says what it is.
import { expect, it } from "vitest";
import type { HttpAnswer, HttpClient } from "../../support/http.js";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json };

export interface Exchange {
  readonly name: string;
  /** Names that stand for something else from this answer on. */
  readonly anew?: readonly string[];
  readonly send: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** Text, bytes, chunks (no length is announced), or a value that is sent as JSON. */
    readonly body?: Json | Uint8Array | readonly Uint8Array[];
  };
  readonly expect: {
    readonly status: number;
    /**
     * Where they differ from the usual: the body's type and length, and what the answer varies by. Undefined is a header
     * that is not there; no others are.
     */
    readonly headers?: Readonly<Record<string, string | undefined>>;
    /** A value is a body of JSON with its members in this order; text is `text/plain`, and undefined is no body. */
    readonly body?: Json;
    /** The whole text of a body of JSON, layout included. */
    readonly text?: string;
  };
}

export interface Conversation {
  /** What the names stand for, so far. */
  readonly names: Map<string, string>;
  exchange(exchange: Exchange): Promise<void>;
}

const id = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
const time = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}\\+0000";
const names = /<((?:at:)?[a-z]\w*)>/gi;

/** Tells the exchanges one after the other, a test each; goes on with the names of another conversation, if any. */
export function tell(
  open: () => HttpClient,
  exchanges: readonly Exchange[],
  known?: Map<string, string>,
): Conversation {
  const conversation = converse(open, known);
  for (const exchange of exchanges) it(exchange.name, () => conversation.exchange(exchange));
  return conversation;
}

export function converse(open: () => HttpClient, known = new Map<string, string>()): Conversation {
  const fill = (text: string) => text.replaceAll(names, (whole, name: string) => known.get(name) ?? whole);

  /** Learns the names that a text has at the places where another has something. */
  function learn(expected: string, actual: string): void {
    const missing = [...fill(expected).matchAll(names)].map(([, name]) => name!);
    if (missing.length === 0) return;
    const seen = new Set<string>();
    const source = fill(expected)
      .split(names)
      .map((piece, index) => {
        if (index % 2 === 0) return piece.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
        if (seen.has(piece)) return `\\k<${groupOf(piece)}>`;
        seen.add(piece);
        return `(?<${groupOf(piece)}>${piece.startsWith("at:") ? time : id})`;
      });
    const found = new RegExp(`^${source.join("")}$`).exec(actual)?.groups ?? {};
    for (const name of missing) if (found[groupOf(name)] !== undefined) known.set(name, found[groupOf(name)]!);
  }

  return {
    names: known,
    async exchange({ send, expect: expected, anew = [] }) {
      const { body = "" } = expected;
      const answer = await open().ask(requestOf(send, fill));
      const text = answer.body.toString("utf8");
      const isJson = typeof body !== "string" || expected.text !== undefined;
      // Any order of members and any layout first, for what they differ in can be read then.
      const flat = (value: Json) => (isJson ? JSON.stringify(value) : String(value));
      const want = expected.text ?? flat(body);
      const got = expected.text !== undefined || !isJson ? text : flattened(text);
      for (const name of anew) known.delete(name);
      learn(want, got);
      if (isJson && expected.text === undefined) {
        expect({ status: answer.status, body: parsed(text) }).toEqual({
          status: expected.status,
          body: JSON.parse(fill(want)),
        });
      }
      expect({ status: answer.status, headers: told(answer), body: got }).toEqual({
        status: expected.status,
        headers: { ...usualHeaders(expected.status, text, isJson), ...expected.headers },
        body: fill(want),
      });
    },
  };
}

function groupOf(name: string): string {
  return name.replaceAll(":", "_");
}

function requestOf(send: Exchange["send"], fill: (text: string) => string) {
  const { method, path, headers = {}, body } = send;
  const filled = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value)]));
  const request = { method, path: fill(path), headers: filled };
  if (body === undefined) return request;
  if (body instanceof Uint8Array) return { ...request, body };
  if (Array.isArray(body) && body.every((chunk) => chunk instanceof Uint8Array)) {
    return { ...request, body: chunked(body as readonly Uint8Array[]) };
  }
  return { ...request, body: Buffer.from(typeof body === "string" ? body : fill(JSON.stringify(body))) };
}

async function* chunked(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function flattened(text: string): string {
  const value = parsed(text);
  return value === text ? text : JSON.stringify(value);
}

/** What of an answer's headers is always the same is left out. */
function told({ headers }: HttpAnswer): Record<string, string> {
  const { "x-request-id": _, ...rest } = headers;
  return rest;
}

function usualHeaders(status: number, text: string, isJson: boolean): Record<string, string> {
  if (status === 204) return {};
  return {
    ...(isJson && { vary: "Accept-Encoding" }),
    "content-type": isJson ? "application/json" : "text/plain",
    "content-length": String(Buffer.byteLength(text)),
  };
}
