// A little REST API that nobody has: what a dialect may ask of the kit, with nothing behind it.
import type { Call, JsonValue } from "../../../src/core/index.js";
import {
  createRoute,
  type Dialect,
  type DialectOptions,
  HttpProblem,
  type WireRequest,
  type WireResponse,
} from "../../../src/rest/kit/index.js";

export interface Services {
  /** Takes whatever a row has found in its request. */
  readonly echo: (input: Readonly<Record<string, JsonValue>>, call: Call) => Promise<JsonValue>;
  /** Told of every chunk. */
  readonly take: (
    input: { readonly lengthBytes: number | undefined; readonly bytes: AsyncIterable<Uint8Array> },
    call: Call,
  ) => Promise<JsonValue>;
  readonly give: (input: { readonly chunks: number }, call: Call) => Promise<AsyncIterable<Uint8Array>>;
}

export interface Facts {
  readonly permission: string;
}

const route = createRoute<Services, Facts>();
const open: Facts = { permission: "none" };
const json = (value: JsonValue, status = 200): WireResponse => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
  compressible: true,
});
/** A row that says which it is, and what it found. */
const say = <Line extends string>(line: Line) =>
  route(line, {
    facts: open,
    read: (request) => ({ line, params: { ...(request.params as Record<string, string>) } }),
    run: ({ echo }) => echo,
    write: (result) => json(result),
  });

export const rows = [
  say("GET /made/things"),
  say("GET /made/things/{id}"),
  say("DELETE /made/things/{id}"),
  say("GET /made/things/special"),
  say("GET /made/things/{id}/parts/{part}"),
  say("POST /made/verbs/id:{id}?~action=complete"),
  say("POST /made/verbs/id:{id}?~action"),
  say("POST /made/verbs/id:{id}?~action=complete&force=1"),
  say("POST /made/verbs/id:{id}"),
  say("PUT /made/asked?only=this"),
  route("GET /made/query", {
    facts: open,
    read: (request) => ({ word: request.query("fileName") ?? null }),
    run: ({ echo }) => echo,
    write: (result) => json(result),
  }),
  route("POST /made/json", {
    facts: open,
    read: async (request) => ({ value: await request.json() }),
    run: ({ echo }) => echo,
    write: (result) => json(result, 201),
  }),
  route("POST /made/word", {
    facts: open,
    read: async (request) => ({ value: await request.json({ mostBytes: 10 }) }),
    run: ({ echo }) => echo,
    write: (result) => json(result),
  }),
  route("POST /made/text", {
    facts: open,
    read: async (request) => ({ text: await request.text({ mostBytes: 100 }) }),
    run: ({ echo }) => echo,
    write: (result) => json(result),
  }),
  route("POST /made/secret", {
    facts: { permission: "secret" },
    read: async (request) => ({ value: await request.json() }),
    run: ({ echo }) => echo,
    write: (result) => json(result),
  }),
  route("POST /made/raw", {
    facts: open,
    read: (request) => request.raw(),
    run: ({ take }) => take,
    write: (result) => json(result),
  }),
  route("GET /made/stream", {
    facts: open,
    read: (request) => ({ chunks: Number(request.query("chunks")) }),
    run: ({ give }) => give,
    write: (body) => ({ status: 200, headers: { "content-type": "text/plain" }, body, compressible: true }),
  }),
];

export const text = (status: number, body: string): WireResponse => ({
  status,
  headers: { "content-type": "text/plain" },
  body,
});

/** A refusal of the dialect's own. */
export class Refusal extends Error {
  constructor(readonly answer: WireResponse) {
    super("refused");
  }
}

export interface Manners extends Partial<Dialect<Services, Facts, Call>> {
  readonly use?: () => void;
}

export function makeDialect({ use = () => undefined, ...more }: Manners = {}): Dialect<Services, Facts, Call> {
  return {
    name: "made",
    prefixes: ["/made"],
    rows,
    trailingSlash: "optional",
    queryNames: "any case",
    unread: "close",
    async admit({ headers, signal }, { permission }) {
      if (permission === "secret" && headers.authorization === undefined) throw new Refusal(text(401, "who are you"));
      const caller = { tenantId: "t", userId: "u", permissions: new Set() } as unknown as Call["caller"];
      return { call: { caller, signal }, user: "default/somebody", use };
    },
    lose: (_request, allow) => text(allow.length === 0 ? 404 : 405, `lost (${allow.join(" ")})`),
    refuse(error) {
      if (error instanceof Refusal) return error.answer;
      return error instanceof HttpProblem ? text(error.status, error.message) : undefined;
    },
    apology: text(500, "sorry"),
    ...more,
  };
}

export const limits: Pick<DialectOptions, "maxJsonBytes" | "maxBufferedJsonBytes"> = {
  maxJsonBytes: { setting: "SLIPWAY_MAX_JSON_BYTES", value: 2 ** 20 },
  maxBufferedJsonBytes: 4 * 2 ** 20,
};

/** Rows answer what they were given; `take` reads all of it. */
export const services: Services = {
  echo: async (input) => input,
  async take({ lengthBytes, bytes }) {
    let taken = 0;
    for await (const chunk of bytes) taken += chunk.length;
    return { lengthBytes: lengthBytes ?? null, taken };
  },
  give: async ({ chunks }) =>
    (async function* () {
      for (let at = 0; at < chunks; at++) yield Buffer.alloc(65_536, `line ${at} of a text\n`);
    })(),
};

export function request(line: string, more: Partial<WireRequest> = {}): WireRequest {
  const [, method = "", path = "", query = ""] = /^(\S+) ([^?]*)\??(.*)$/.exec(line) ?? [];
  return {
    method,
    path,
    query,
    headers: {},
    httpVersion: "1.1",
    body: (async function* () {})(),
    signal: new AbortController().signal,
    origin: "",
    peerAddress: "192.0.2.1",
    id: "made-up",
    ...more,
  };
}
