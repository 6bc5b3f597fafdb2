import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { type RequestNote, UploadError } from "../../../src/core/index.js";
import { createDialectHandler, type WireRequest, type WireResponse } from "../../../src/rest/kit/index.js";
import { bodyOf, brokenBody, countedBody, fedBody, hangingBody, readWhole, slices } from "../../support/bodies.js";
import { limits, type Manners, makeDialect, Refusal, request, services, text } from "./made-up-dialect.js";

const bytes = (content: string) => Buffer.from(content);
const gone = Object.assign(new Error("the client has gone"), { name: "AbortError" });

/** A handler, and what it tells on the side. */
function open(manners: Manners = {}, more: Partial<Parameters<typeof createDialectHandler>[2]> = {}, own = services) {
  const logged: unknown[] = [];
  const notes: RequestNote[] = [];
  const handler = createDialectHandler(makeDialect(manners), own, {
    ...limits,
    logUnexpected: (error) => logged.push(error),
    ...more,
  });
  const ask = (line: string, asked: Partial<WireRequest> = {}) =>
    handler.handle(request(line, { note: (note) => notes.push(note), ...asked }));
  return { handler, ask, logged, notes };
}
const told = async (answer: Promise<WireResponse>) => {
  const { status, body = "" } = await answer;
  return [
    status,
    typeof body === "string" ? body : Buffer.from(await readWhole(body as AsyncIterable<Uint8Array>)).toString(),
  ];
};

describe("a request", () => {
  it("is answered by its row, by the name of whom the dialect lets in", async () => {
    const { ask, notes, logged } = open();
    expect(await ask("GET /made/things/a%2Fb/?x=1")).toEqual({
      status: 200,
      headers: { "content-type": "application/json" },
      body: '{"line":"GET /made/things/{id}","params":{"id":"a/b"}}',
      compressible: true,
    });
    expect([notes, logged]).toEqual([[{ user: "default/somebody" }, { code: "ok" }], []]);
  });

  it("has no row that reads anything of it before somebody is let in", async () => {
    const { ask, notes } = open();
    const body = countedBody(bodyOf([bytes("{}")]));
    expect(await told(ask("POST /made/secret", { body: body.body }))).toEqual([401, "who are you"]);
    expect([body.touched, notes]).toEqual([false, [{ code: "unauthenticated" }]]);
  });

  it("for an unknown path, or a known one by another method, gets what the dialect says, without a login", async () => {
    const admit = vi.fn();
    const { ask, notes } = open({ admit });
    expect(await told(ask("GET /made/nothing"))).toEqual([404, "lost ()"]);
    expect(await ask("PUT /made/things")).toEqual({
      status: 405,
      headers: { allow: "GET, HEAD, OPTIONS", "content-type": "text/plain" },
      body: "lost (GET HEAD OPTIONS)",
    });
    expect(await told(ask("OPTIONS /made/nothing"))).toEqual([404, "lost ()"]);
    expect([notes, admit.mock.calls]).toEqual([
      [{ code: "not_found" }, { code: "refused" }, { code: "not_found" }],
      [],
    ]);
  });

  it("for OPTIONS is told the methods of a path", async () => {
    expect(await open().ask("OPTIONS /made/things/7")).toEqual({
      status: 204,
      headers: { allow: "GET, DELETE, HEAD, OPTIONS" },
    });
  });

  it.each([
    ["GET /made/things/%zz", "a percent-escape in the path means nothing"],
    ["GET /made/query?fileName=%zz", 'a percent-escape in the query means nothing: "%zz"'],
  ])("that is not well encoded is refused: %s", async (line, sentence) => {
    expect(await told(open().ask(line))).toEqual([400, sentence]);
  });
});

describe("an error", () => {
  const failing = (error: unknown, manners: Manners = {}) =>
    open(manners, {}, { ...services, echo: () => Promise.reject(error) });

  it("that the dialect knows is answered as it says, and noted", async () => {
    const { ask, notes, logged } = failing(new Refusal(text(403, "no")));
    expect(await told(ask("GET /made/things"))).toEqual([403, "no"]);
    expect([notes.at(-1), logged]).toEqual([{ code: "denied" }, []]);
  });

  it("of the core is noted with its reason, and what lies behind it is logged", async () => {
    const refuse = () => text(503, "later");
    const cause = new Error("the disk");
    const error = new UploadError("unavailable", "storage is away", { reason: "STORAGE_UNAVAILABLE" }, { cause });
    const { ask, notes, logged } = failing(error, { refuse });
    expect(await told(ask("GET /made/things"))).toEqual([503, "later"]);
    expect([notes.at(-1), logged]).toEqual([{ code: "unavailable", reason: "STORAGE_UNAVAILABLE" }, [error]]);
  });

  it("of the core that a client brings about is not logged, whatever lies behind it: it is told all of it", async () => {
    const cause = new Error("the row is there");
    const error = new UploadError("already_exists", "it is there", { reason: "NAME_TAKEN" }, { cause });
    const { ask, notes, logged } = failing(error, { refuse: () => text(409, "no") });
    expect(await told(ask("GET /made/things"))).toEqual([409, "no"]);
    expect([notes.at(-1), logged]).toEqual([{ code: "already_exists", reason: "NAME_TAKEN" }, []]);
  });

  it("that nobody foresaw is logged, and answered with an apology that says nothing of it", async () => {
    const error = new TypeError("of our own");
    const { ask, notes, logged } = failing(error);
    expect(await told(ask("GET /made/things"))).toEqual([500, "sorry"]);
    expect([notes.at(-1), logged]).toEqual([{ code: "internal" }, [error]]);
  });

  it("of a request that was cut is passed on as it is", async () => {
    const { ask, logged } = failing(gone);
    await expect(ask("GET /made/things")).rejects.toBe(gone);
    const cut = new AbortController();
    const stopping = new Error("the server is stopping");
    const waiting = open().ask("POST /made/json", {
      headers: { "content-length": "2" },
      body: hangingBody([bytes("{")]),
      signal: cut.signal,
    });
    cut.abort(stopping);
    await expect(waiting).rejects.toBe(stopping);
    expect(logged).toEqual([]);
  });
});

describe("text", () => {
  const send = (sent: Uint8Array, headers: Record<string, string> = { "transfer-encoding": "chunked" }) =>
    told(open().ask("POST /made/text", { headers, body: bodyOf(slices(sent, 1)) }));

  it.each([
    ["", '""'],
    [" \n", '" \\n"'],
    ["<\u00e9\u{1f511}>", '"<\u00e9\u{1f511}>"'],
  ])("is the whole body, in whatever pieces it comes, and may be empty: %j", async (sent, read) => {
    expect(await send(bytes(sent))).toEqual([200, `{"text":${read}}`]);
  });

  it("of a request without a body is empty", async () => {
    expect(await told(open().ask("POST /made/text"))).toEqual([200, '{"text":""}']);
  });

  it("has the bounds of JSON", async () => {
    expect(await send(Buffer.alloc(100, "x"))).toEqual([200, `{"text":"${"x".repeat(100)}"}`]);
    expect(await send(Buffer.alloc(101, "x"))).toEqual([413, "the body may have 100 bytes at most here"]);
    expect(await send(Buffer.from([0xc3]))).toEqual([400, "the body is not in UTF-8"]);
    const coded = await send(bytes("x"), { "content-encoding": "br", "content-length": "1" });
    expect(coded).toEqual([415, "content is taken as it is, without a coding"]);
  });
});

describe("JSON", () => {
  it("has as few bytes as its row says, announced or not", async () => {
    const send = (text: string, headers: Record<string, string>) =>
      told(open().ask("POST /made/word", { headers, body: bodyOf([bytes(text)]) }));
    const chunked = { "transfer-encoding": "chunked" };
    expect(await send('"12345678"', chunked)).toEqual([200, '{"value":"12345678"}']);
    expect(await send('"123456789"', chunked)).toEqual([413, "the body may have 10 bytes at most here"]);
    expect(await send("", { "content-length": "11" })).toEqual([413, "the body may have 10 bytes at most here"]);
  });

  const post = (
    body: AsyncIterable<Uint8Array>,
    headers: Record<string, string> = { "transfer-encoding": "chunked" },
  ) => told(open().ask("POST /made/json", { headers, body }));
  const postText = (content: string | Uint8Array) => post(bodyOf(slices(Buffer.from(content), 7)));

  it.each([
    ['{"a":[1,"\u00e9\u{1f511}",null]}', '{"a":[1,"\u00e9\u{1f511}",null]}'],
    ['\ufeff {"a":1}\n', '{"a":1}'],
    ["7", "7"],
    ['{"a":1,"a":2}', '{"a":2}'],
    [`"${'[{\\"'.repeat(200)}"`, `"${'[{\\"'.repeat(200)}"`],
    [`${"[".repeat(100)}${"]".repeat(100)}`, `${"[".repeat(100)}${"]".repeat(100)}`],
  ])("is read, in whatever pieces it comes: %s", async (sent, read) => {
    expect(await postText(sent)).toEqual([201, `{"value":${read}}`]);
  });

  it("has members that are the value's own, whatever they are called", async () => {
    expect(await postText('{"__proto__":{"isAdmin":true},"constructor":1}')).toEqual([
      201,
      '{"value":{"__proto__":{"isAdmin":true},"constructor":1}}',
    ]);
    expect({}).not.toHaveProperty("isAdmin");
  });

  it.each([
    ["", "the body is empty where JSON is expected"],
    [" \n", "the body is empty where JSON is expected"],
    [Buffer.from([0x22, 0xff, 0x22]), "the body is not in UTF-8"],
    [Buffer.from([0x22, 0xc3]), "the body is not in UTF-8"],
    ["[".repeat(101), "the JSON is nested deeper than 100 levels"],
    ['{"a":'.repeat(101), "the JSON is nested deeper than 100 levels"],
  ])("that is none is refused with 400 and a sentence: %j", async (sent, sentence) => {
    expect(await postText(sent)).toEqual([400, sentence]);
  });

  it.each(["{", "{'a':1}", "[1,]", "01", "nul", '{"a":1}}', '"\n"', "\0"])(
    "that is malformed is refused with one short line: %j",
    async (sent) => {
      const [status, sentence] = await postText(sent);
      expect([status, String(sentence)]).toEqual([
        400,
        expect.stringMatching(/^the body is not JSON: [^\p{C}]{5,200}$/u),
      ]);
    },
  );

  it("in a coding is refused with 415", async () => {
    expect(await post(bodyOf([bytes("{}")]), { "content-encoding": "gzip", "content-length": "2" })).toEqual([
      415,
      "content is taken as it is, without a coding",
    ]);
  });

  const tooLarge = "the body may have 1048576 bytes at most (SLIPWAY_MAX_JSON_BYTES)";
  it("that is announced to be too large is refused before it is read", async () => {
    const body = countedBody(bodyOf([bytes("{}")]));
    expect(await post(body.body, { "content-length": String(2 ** 20 + 1) })).toEqual([413, tooLarge]);
    expect(body.touched).toBe(false);
  });

  it("that turns out to be too large is refused by then, and has that size at most", async () => {
    const body = countedBody(bodyOf(slices(Buffer.alloc(2 ** 22, "1"), 65_536)));
    expect(await post(body.body)).toEqual([413, tooLarge]);
    expect(body.pulledBytes).toBe(2 ** 20 + 65_536);
    expect(await postText(`"${"x".repeat(2 ** 20 - 2)}"`)).toEqual([201, `{"value":"${"x".repeat(2 ** 20 - 2)}"}`]);
  });

  it("that does not come in time is refused with 408, and the setting is named", async () => {
    const { ask } = open({}, { maxJsonMs: { setting: "SLIPWAY_MESSAGE_TIMEOUT", value: 20 } });
    expect(
      await told(ask("POST /made/json", { headers: { "content-length": "2" }, body: hangingBody([bytes("{")]) })),
    ).toEqual([408, "the body has to be here within 20 ms (SLIPWAY_MESSAGE_TIMEOUT)"]);
  });

  it("waits, unread, while others hold all the room; the first in line goes on; small ones wait for nobody (P10)", async () => {
    const content = Buffer.from(`"${"x".repeat(300_000)}"`);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const echo = async (input: object) => {
      if (!JSON.stringify(input).includes("small")) await held;
      return true;
    };
    const { ask } = open({}, { maxBufferedJsonBytes: 500_000 }, { ...services, echo });
    const bodies = Array.from({ length: 5 }, () => countedBody(bodyOf(slices(content, 10_000))));
    const headers = { "content-length": String(content.length) };
    const answers = bodies.map(({ body }) => ask("POST /made/json", { headers, body }));
    await vi.waitFor(() => expect(bodies.filter(({ pulledBytes }) => pulledBytes === content.length)).not.toEqual([]));
    await sleep(50);
    // The room, what the first in line may have over it, what is free for each, and the chunk for which each waits.
    const read = bodies.reduce((sum, { pulledBytes }) => sum + pulledBytes, 0);
    expect(read).toBeLessThanOrEqual(500_000 + content.length + 5 * (16_384 + 10_000));
    expect(read).toBeLessThan(5 * content.length);
    expect(await told(ask("POST /made/json", { body: bodyOf([bytes('"small"')]) }))).toEqual([201, "true"]);
    release();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
  });

  it("that waits for room and goes away leaves the line", async () => {
    const content = Buffer.from(`"${"x".repeat(200_000)}"`);
    const { ask } = open({}, { maxBufferedJsonBytes: 100_000 });
    const first = fedBody();
    const began = ask("POST /made/json", { headers: { "transfer-encoding": "chunked" }, body: first.body });
    first.send(content.subarray(0, 190_000));
    const cut = new AbortController();
    const body = bodyOf(slices(content, 50_000));
    const left = ask("POST /made/json", { headers: { "transfer-encoding": "chunked" }, body, signal: cut.signal });
    await sleep(20);
    cut.abort(gone);
    await expect(left).rejects.toBe(gone);
    const next = ask("POST /made/json", {
      headers: { "transfer-encoding": "chunked" },
      body: bodyOf(slices(content, 50_000)),
    });
    first.send(content.subarray(190_000));
    first.end();
    expect([(await began).status, (await next).status]).toEqual([201, 201]);
  });
});

describe("raw bytes", () => {
  const post = (asked: Partial<WireRequest>) => told(open().ask("POST /made/raw", asked));

  it("come with their length, where it is announced or none, and without one where the last chunk tells the end (P11)", async () => {
    const body = () => bodyOf([bytes("abc"), bytes("de")]);
    expect(await post({ headers: { "content-length": "5" }, body: body() })).toEqual([
      200,
      '{"lengthBytes":5,"taken":5}',
    ]);
    expect(await post({ headers: { "transfer-encoding": "Chunked" }, body: body() })).toEqual([
      200,
      '{"lengthBytes":null,"taken":5}',
    ]);
    expect(await post({})).toEqual([200, '{"lengthBytes":0,"taken":0}']);
  });

  it("are refused over HTTP/2 without a length, and in a coding", async () => {
    expect(await post({ httpVersion: "2" })).toEqual([411, "over HTTP/2 the length of a body has to be announced"]);
    expect(await post({ headers: { "transfer-encoding": "gzip, chunked" } })).toEqual([
      415,
      "content is taken as it is, without a coding",
    ]);
  });
});

it("bytes in both directions count as use of the credentials, and end with them", async () => {
  let left = 3;
  const use = () => {
    left -= 1;
    if (left < 0) throw new Refusal(text(401, "over"));
  };
  const { ask } = open({ use });
  const body = bodyOf(slices(new Uint8Array(10), 1));
  expect(await told(ask("POST /made/raw", { headers: { "content-length": "10" }, body }))).toEqual([401, "over"]);
  left = 3;
  const { body: stream } = await ask("GET /made/stream?chunks=10");
  const got: number[] = [];
  await expect(
    (async () => {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) got.push(chunk.length);
    })(),
  ).rejects.toBeInstanceOf(Refusal);
  expect(got).toEqual([65_536, 65_536, 65_536]);
});

describe("the rest of a body, when the answer is known,", () => {
  const drain = { unread: { drainBytes: 1_000, drainMs: 60_000 } } as const;
  const chunked = { "transfer-encoding": "chunked" };
  const nowhere = "POST /made/nowhere";

  it("is read into nothing before the answer, within a bound (drain), or not at all (close)", async () => {
    for (const [manners, length, pulled] of [
      [drain, 1_000, 1_000],
      [drain, 5_000, 1_100],
      [{}, 1_000, 0],
    ] as const) {
      const body = countedBody(bodyOf(slices(new Uint8Array(length), 100)));
      expect(await told(open(manners).ask(nowhere, { headers: chunked, body: body.body }))).toEqual([404, "lost ()"]);
      expect(body.pulledBytes).toBe(pulled);
    }
  });

  it("is not begun where it is announced to be over the bound, by what is left of it", async () => {
    const body = countedBody(bodyOf(slices(new Uint8Array(2_000), 100)));
    const headers = { "content-length": "2000" };
    expect(await told(open(drain).ask(nowhere, { headers, body: body.body }))).toEqual([404, "lost ()"]);
    expect(body.touched).toBe(false);
    let left = 12;
    const use = () => {
      left -= 1;
      if (left < 0) throw new Refusal(text(401, "over"));
    };
    expect(await told(open({ ...drain, use }).ask("POST /made/raw", { headers, body: body.body }))).toEqual([
      401,
      "over",
    ]);
    expect(body.pulledBytes).toBe(2_000);
  });

  it("is not asked for where the client waits for a word and nobody has read", async () => {
    const body = countedBody(hangingBody([]));
    const headers = { ...chunked, expect: "100-Continue" };
    expect(await told(open(drain).ask(nowhere, { headers, body: body.body }))).toEqual([404, "lost ()"]);
    expect(body.touched).toBe(false);
  });

  it("is waited for no longer than said, nor after the request was cut, nor when it breaks", async () => {
    const soon = open({ unread: { drainBytes: 1_000, drainMs: 20 } });
    expect(await told(soon.ask(nowhere, { headers: chunked, body: hangingBody([]) }))).toEqual([404, "lost ()"]);
    const cut = new AbortController();
    const waiting = open(drain).ask(nowhere, { headers: chunked, body: hangingBody([]), signal: cut.signal });
    cut.abort(gone);
    expect(await told(waiting)).toEqual([404, "lost ()"]);
    const { ask, logged } = open(drain);
    expect(await told(ask(nowhere, { headers: chunked, body: brokenBody([bytes("a")]) }))).toEqual([404, "lost ()"]);
    expect(logged).toEqual([]);
  });

  it("is read on where a row stopped, which leaves it where it is", async () => {
    const take = async ({ bytes: given }: { readonly bytes: AsyncIterable<Uint8Array> }) => {
      for await (const chunk of given) return chunk.length;
      return 0;
    };
    const { ask } = open(drain, {}, { ...services, take });
    const body = countedBody(bodyOf(slices(new Uint8Array(500), 100)));
    expect(await told(ask("POST /made/raw", { headers: chunked, body: body.body }))).toEqual([200, "100"]);
    expect(body.pulledBytes).toBe(500);
  });

  it("is not looked for where a message has none", async () => {
    const body = countedBody(hangingBody([]));
    expect(await told(open(drain).ask("GET /made/nowhere", { body: body.body }))).toEqual([404, "lost ()"]);
    expect(body.touched).toBe(false);
  });
});

it("a request is called by the line of its row, and by nothing else", () => {
  const { handler } = open();
  const lineOf = (method: string, url: string) => handler.lineOf({ method, url });
  expect([
    lineOf("GET", "/made/things/7/?x=?y"),
    lineOf("HEAD", "/made/things"),
    lineOf("POST", "/made/verbs/id:7?~action=complete"),
    lineOf("PUT", "/made/things"),
    lineOf("OPTIONS", "/made/things"),
    lineOf("GET", "/made/things/%zz"),
    lineOf("GET", "*"),
  ]).toEqual([
    "GET /made/things/{id}",
    "GET /made/things",
    "POST /made/verbs/id:{id}?~action=complete",
    ...[undefined, undefined, undefined, undefined],
  ]);
});

it("paths are the dialect's own below its prefixes, segment by segment", () => {
  const { handler } = open({ prefixes: ["/made", "/also/this"] });
  const paths = ["/made", "/made/", "/made/x", "/also/this/x", "/mades", "/also", "/Made", "/", "made"];
  expect(paths.filter(handler.covers)).toEqual(paths.slice(0, 4));
});
