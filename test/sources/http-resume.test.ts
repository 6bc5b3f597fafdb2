import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { createSource, failureOf, open, readAll, readUntilFailure, serve } from "./web.js";

const source = createSource();
const text = "0123456789abcdef";
const yesterday = new Date(Date.now() - 86_400_000).toUTCString();
const etag = '"one"';

interface Shape {
  readonly validators?: Readonly<Record<string, string>>;
  readonly content?: string;
  /** As a server that knows no If-Range: it answers the range whatever the content is. */
  readonly ignoresIfRange?: boolean;
  readonly change?: (headers: Record<string, string | number>) => void;
}

/** A server of files as it should be, unless its shape says otherwise; the shape may change between requests. */
async function serveFile(shape: { now: Shape }) {
  return await serve((request, response) => {
    const { validators = { etag }, content = text, ignoresIfRange = false, change } = shape.now;
    const headers: Record<string, string | number> = { ...validators };
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
    const ifRange = request.headers["if-range"];
    const holds = ignoresIfRange || Object.values(validators).includes(String(ifRange));
    if (range === null || !holds) return response.writeHead(200, headers).end(content);
    const first = Number(range[1]);
    if (first >= content.length) {
      return response.writeHead(416, { ...headers, "content-range": `bytes */${content.length}` }).end();
    }
    headers["content-range"] = `bytes ${first}-${content.length - 1}/${content.length}`;
    headers["content-length"] = content.length - first;
    change?.(headers);
    return response.writeHead(206, headers).end(content.slice(first));
  });
}

const asked = ({ headers }: IncomingMessage) => [headers.range, headers["if-range"]];

describe("reading on", () => {
  it.each([
    ["an ETag", { etag }, etag],
    ["a Last-Modified", { "last-modified": yesterday }, yesterday],
    ["a Last-Modified beside a weak ETag", { etag: 'W/"one"', "last-modified": yesterday }, yesterday],
  ])("goes on where it was with %s that still holds", async (_, validators, validator) => {
    const server = await serveFile({ now: { validators } });
    const first = await open(source, server.url);
    expect(first.validator).toBe(validator);
    first.close();
    const content = await open(source, server.url, { from: { offset: 10, validator, sizeBytes: 16 } });
    expect(content).toMatchObject({ offset: 10, sizeBytes: 16, validator, hasEnd: true });
    expect(String(await readAll(content))).toBe("abcdef");
    expect(server.requests.map(asked)).toEqual([
      [undefined, undefined],
      ["bytes=10-", validator],
    ]);
  });

  it("goes on through a redirect", async () => {
    const server = await serveFile({ now: {} });
    const door = await serve((_, response) => response.writeHead(307, { location: server.url }).end());
    const content = await open(source, door.url, { from: { offset: 15, validator: etag } });
    expect([content.offset, String(await readAll(content))]).toEqual([15, "f"]);
  });

  it("of content that was read to its end has no bytes and proves that it still is the same", async () => {
    const shape: { now: Shape } = { now: {} };
    const server = await serveFile(shape);
    const from = { offset: 16, validator: etag, sizeBytes: 16 };
    const content = await open(source, server.url, { from });
    expect([content.offset, content.sizeBytes, String(await readAll(content))]).toEqual([16, 16, ""]);
    shape.now = { validators: { etag: '"two"' }, content: "other content" };
    const other = await open(source, server.url, { from });
    expect([other.offset, String(await readAll(other))]).toEqual([0, "other content"]);
  });

  it.each<[string, Shape, { offset?: number; sizeBytes?: number }?]>([
    ["holds other content", { validators: { etag: '"two"' }, content: "other content" }],
    ["has other content and knows no If-Range", { validators: { etag: '"two"' }, ignoresIfRange: true }],
    ["has nothing that proves it any more", { validators: {}, ignoresIfRange: true }],
    ["proves it weakly", { validators: { etag: 'W/"one"' }, ignoresIfRange: true }],
    ["has the same validator for another size", { content: `${text}more` }, { sizeBytes: 16 }],
    ["has less than was read", { content: "0123" }, { sizeBytes: 16 }],
    ["does not know its size, and was read to its end", {}, { offset: 16 }],
  ])("begins anew where the server %s", async (_, now, from = {}) => {
    const server = await serveFile({ now });
    const content = await open(source, server.url, { from: { offset: 10, validator: etag, ...from } });
    expect(content.offset).toBe(0);
    expect(String(await readAll(content))).toBe(now.content ?? text);
    expect(asked(server.requests.at(-1)!)[0] === undefined || server.requests.length === 1).toBe(true);
  });

  it("begins anew where the server knows no ranges", async () => {
    const server = await serve((_, response) => response.setHeader("etag", etag).end(text));
    const content = await open(source, server.url, { from: { offset: 10, validator: etag } });
    expect([content.offset, String(await readAll(content))]).toEqual([0, text]);
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ["begins elsewhere", "bytes 9-15/16"],
    ["ends before it begins", "bytes 10-9/16"],
    ["ends after the content", "bytes 10-16/16"],
    ["ends after an empty content", "bytes 10-15/0"],
    ["counts something else", "items 10-15/16"],
    ["is missing", undefined],
    ["has no numbers", "bytes a-b/c"],
    ["has another length than the answer", "bytes 10-14/16"],
  ])("is refused where the range of the answer %s", async (_, range) => {
    const change: Shape["change"] = (headers) => {
      delete headers["content-range"];
      if (range !== undefined) headers["content-range"] = range;
    };
    const server = await serveFile({ now: { change } });
    const error = await failureOf(open(source, server.url, { from: { offset: 10, validator: etag, sizeBytes: 16 } }));
    expect([error.failure, error.isFinal]).toEqual(["response_invalid", true]);
    expect(error.message).toContain(`answered with other bytes (${JSON.stringify(range ?? "")}) than asked for`);
  });

  it("takes a part of the range, and ends early with it", async () => {
    const server = await serve((_, response) => {
      response.writeHead(206, { etag, "content-range": "bytes 10-12/16", "content-length": 3 }).end("abc");
    });
    const content = await open(source, server.url, { from: { offset: 10, validator: etag } });
    const { read, error } = await readUntilFailure(content);
    expect([String(read), error.failure, error.isFinal]).toEqual(["abc", "ended_early", false]);
  });

  it("takes a range of a content whose size the answer does not tell", async () => {
    const change: Shape["change"] = (headers) => {
      headers["content-range"] = "bytes 10-15/*";
    };
    const server = await serveFile({ now: { change } });
    const open10 = (sizeBytes?: number) =>
      open(source, server.url, { from: { offset: 10, validator: etag, sizeBytes } });
    const told = await open10(16);
    expect([told.sizeBytes, told.hasEnd, String(await readAll(told))]).toEqual([16, true, "abcdef"]);
    const untold = await open10();
    expect([untold.sizeBytes, untold.hasEnd, String(await readAll(untold))]).toEqual([undefined, false, "abcdef"]);
  });

  it("fails as the server does", async () => {
    const server = await serve((_, response) => response.writeHead(404).end());
    const error = await failureOf(open(source, server.url, { from: { offset: 10, validator: etag } }));
    expect(error.failure).toBe("not_found");
  });
});

describe("the validator of content", () => {
  it.each<[string, Record<string, string>]>([
    ["a weak ETag", { etag: 'W/"one"' }],
    ["an ETag that is none", { etag: "one" }],
    ["an empty ETag", { etag: '""' }],
    ["an ETag of endless length", { etag: `"${"x".repeat(2000)}"` }],
    ["a Last-Modified of this very second", { "last-modified": yesterday, date: yesterday }],
    ["a Last-Modified in the future", { "last-modified": new Date(Date.now() + 86_400_000).toUTCString() }],
    ["a Last-Modified that is no date", { "last-modified": "lately" }],
  ])("is none where the answer has %s", async (_, headers) => {
    const server = await serve((_, response) => response.writeHead(200, headers).end(text));
    const content = await open(source, server.url);
    expect(content.validator).toBeUndefined();
    content.close();
  });
});
