import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createSource, failureOf, open, readAll, readUntilFailure, serve, serveRaw } from "./web.js";

const source = createSource();
const MiB = 2 ** 20;

/** Answers any request with these bytes and nothing else, and ends the connection. */
const answer = (...parts: readonly string[]) =>
  serveRaw((socket) => socket.once("data", () => socket.end(parts.join("\r\n"))));

describe("content over HTTP", () => {
  it("comes with its size, its validator and its bytes", async () => {
    const bytes = Buffer.alloc(3 * MiB, "0123456789abcdef");
    const server = await serve((_, response) => {
      response.writeHead(200, { "content-length": bytes.length, etag: '"one"' }).end(bytes);
    });
    const content = await open(source, `${server.url}/a%20b?c=d#e`);
    expect(content).toMatchObject({ offset: 0, sizeBytes: bytes.length, validator: '"one"', hasEnd: true });
    expect((await readAll(content)).equals(bytes)).toBe(true);
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(["GET /a%20b?c=d"]);
  });

  it.each([
    ["of no bytes", ["content-length: 0", "", ""], { sizeBytes: 0, hasEnd: true }, ""],
    ["in chunks", ["transfer-encoding: chunked", "", "2", "ab", "1", "c", "0", "", ""], { hasEnd: true }, "abc"],
    ["that ends with the connection", ["", "abc"], { hasEnd: false }, "abc"],
  ])("%s says how its end is known", async (_, lines, expected, bytes) => {
    const content = await open(source, await answer("HTTP/1.1 200 OK", ...lines));
    expect(content).toMatchObject({ sizeBytes: undefined, ...expected });
    expect(String(await readAll(content))).toBe(bytes);
  });

  it("has no more bytes than it announces", async () => {
    const content = await open(source, await answer("HTTP/1.1 200 OK", "content-length: 3", "", "abcdefgh"));
    expect(String(await readAll(content))).toBe("abc");
  });

  it("holds the server back while nobody reads, and lets it go when the reader stops", async () => {
    let sent = 0;
    let ended = () => {};
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const endless = await serve((_, response) => {
      const chunk = Buffer.alloc(MiB);
      const push = () => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
        sent += chunk.length;
      };
      response.on("drain", push);
      response.once("close", ended);
      push();
    });
    const content = await open(source, endless.url);
    for await (const chunk of content.bytes) {
      expect(chunk.length).toBeLessThanOrEqual(MiB);
      await new Promise((resolve) => setTimeout(resolve, 500));
      // What the sockets of both ends hold; without a reader's say it would be hundreds.
      expect(sent).toBeLessThan(64 * MiB);
      break;
    }
    await end;
    content.close();
  });

  it("is let go of by closing it unread", async () => {
    const closed = new Promise<void>((resolve, reject) => {
      serve((_, response) => {
        response.once("close", resolve);
        response.write("abc");
      })
        .then(({ url }) => open(source, url))
        .then((content) => content.close(), reject);
    });
    await closed;
  });

  it("ends with the signal's reason, before the answer, while waiting for bytes and between them", async () => {
    const reason = new Error("enough");
    const silent = await serveRaw(() => undefined);
    const early = new AbortController();
    const opening = open(source, silent, { signal: early.signal });
    setTimeout(() => early.abort(reason), 20);
    await expect(opening).rejects.toBe(reason);
    await expect(open(source, silent, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);

    const halting = await serve((_, response) => response.write("abc"));
    for (const wait of [0, 20]) {
      const late = new AbortController();
      const content = await open(source, halting.url, { signal: late.signal });
      const reading = (async () => {
        for await (const _ of content.bytes) {
          if (wait === 0) late.abort(reason);
          else setTimeout(() => late.abort(reason), wait);
        }
      })();
      await expect(reading).rejects.toBe(reason);
    }
  });
});

describe("an answer without content", () => {
  it.each([
    [404, "not_found", true, "does not exist (404); check the address"],
    [410, "not_found", true, "is gone for good (410); give another address"],
    [
      401,
      "refused",
      true,
      "asks for a login (401); give an address that can be read without one, such as a signed one",
    ],
    [
      403,
      "refused",
      true,
      "may not be read (403); let this server read it, or give a signed address that is still valid",
    ],
    [400, "refused", true, "refused the request (400); check that it can be read with a plain GET"],
    [451, "refused", true, "refused the request (451); check that it can be read with a plain GET"],
    [408, "not_ready", false, "took too long to be asked (408); try again later"],
    [429, "not_ready", false, "is asked too often (429); try again later"],
    [500, "not_ready", false, "failed on its own side (500); try again later"],
    [503, "not_ready", false, "failed on its own side (503); try again later"],
    [
      204,
      "response_invalid",
      true,
      "answered 204, which brings no content; check that it can be read with a plain GET",
    ],
    [
      206,
      "response_invalid",
      true,
      "answered 206, which brings no content; check that it can be read with a plain GET",
    ],
    [
      304,
      "response_invalid",
      true,
      "answered 304, which brings no content; check that it can be read with a plain GET",
    ],
  ])("is a failure with a sentence of its own: %i", async (status, failure, isFinal, sentence) => {
    const server = await serve((_, response) => response.writeHead(status).end());
    const error = await failureOf(open(source, `${server.url}/file?signature=secret`));
    expect([error.failure, error.isFinal]).toEqual([failure, isFinal]);
    expect(error.message).toBe(`${server.url}/file?... ${sentence}`);
  });

  it("tells how long to wait, in seconds or until a date, at most a day and never nonsense", async () => {
    const waitFor = async (value: string, status = 503) => {
      const server = await serve((_, response) => response.writeHead(status, { "retry-after": value }).end());
      return (await failureOf(open(source, server.url))).retryAfterMs;
    };
    expect(await waitFor("7")).toBe(7000);
    expect(await waitFor("99999999999", 429)).toBe(86_400_000);
    expect(await waitFor("Wed, 21 Oct 2015 07:28:00 GMT")).toBe(0);
    const untilDate = await waitFor(new Date(Date.now() + 3_600_000).toUTCString());
    expect(untilDate).toBeGreaterThan(3_500_000);
    expect(untilDate).toBeLessThanOrEqual(3_600_000);
    expect([await waitFor("soon"), await waitFor(""), await waitFor("7", 404)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("an answer that cannot be believed", () => {
  it.each([
    ["another encoding", ["content-encoding: gzip", "", gzipSync("abc").toString("latin1")], /encoded as "gzip"/],
    ["two encodings", ["content-encoding: identity, br", "", "abc"], /encoded as "identity, br"/],
    ["a transfer encoding", ["transfer-encoding: gzip, chunked", "", "0", "", ""], /encoded as "gzip, chunked"/],
    ["no number for a length", ["content-length: many", "", "abc"], /does not answer as HTTP\/1.1 \(HPE_/],
    ["two lengths", ["content-length: 3", "content-length: 4", "", "abc"], /does not answer as HTTP\/1.1 \(HPE_/],
    ["a length past 2^53", ["content-length: 9007199254740993", "", "abc"], /announces a length that is no size/],
  ])("is refused: %s", async (_, lines, sentence) => {
    const error = await failureOf(open(source, await answer("HTTP/1.1 200 OK", ...lines)));
    expect([error.failure, error.isFinal]).toEqual(["response_invalid", true]);
    expect(error.message).toMatch(sentence);
  });

  it("is refused where it is no HTTP, and worth a retry where there is none", async () => {
    const other = await failureOf(open(source, await answer("SSH-2.0-OpenSSH_9.6", "")));
    expect([other.failure, other.isFinal]).toEqual(["response_invalid", true]);
    expect(other.message).toMatch(/does not answer as HTTP\/1.1 \(HPE_\w+\); check the port$/);
    const none = await failureOf(open(source, await serveRaw((socket) => socket.destroy())));
    expect([none.failure, none.isFinal]).toEqual(["unreachable", false]);
    expect(none.message).toMatch(/closed the connection without an answer; try again later$/);
  });

  it("of a header that never ends is cut off", async () => {
    const url = await serveRaw((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\n");
        const push = () => {
          while (!socket.destroyed && socket.write(`x: ${"y".repeat(10_000)}\r\n`));
        };
        socket.on("drain", push);
        push();
      });
    });
    expect((await failureOf(open(source, url))).message).toMatch(/\(HPE_HEADER_OVERFLOW\)/);
  });

  it("is worth a retry where nobody listens", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port: free } = taken.address() as AddressInfo;
    await new Promise((resolve) => taken.close(resolve));
    const error = await failureOf(open(source, `http://127.0.0.1:${free}/`));
    expect([error.failure, error.isFinal]).toEqual(["unreachable", false]);
    expect(error.message).toBe(`127.0.0.1:${free} could not be connected to; check it, or try again later`);
  });
});

describe("content that ends before its end", () => {
  it.each([
    ["is shorter than announced", ["content-length: 10", "", "abc"], "3 bytes of the 10 that it announced"],
    ["breaks off in its chunks", ["transfer-encoding: chunked", "", "5", "abc"], "3 bytes"],
    ["has no last chunk", ["transfer-encoding: chunked", "", "3", "abc", ""], "3 bytes"],
    ["has chunks of no size", ["transfer-encoding: chunked", "", "3", "abc", "zz", ""], "3 bytes"],
  ])("keeps what came and is worth a retry: it %s", async (_, lines, said) => {
    const url = await answer("HTTP/1.1 200 OK", ...lines);
    const { read, error } = await readUntilFailure(await open(source, `${url}/file`));
    expect(String(read)).toBe("abc");
    expect([error.failure, error.isFinal]).toEqual(["ended_early", false]);
    expect(error.message).toBe(`${url}/file ended after ${said}; try again later`);
  });

  it("keeps what came where the connection is reset", async () => {
    const url = await serveRaw((socket) => {
      socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"));
      setTimeout(() => socket.resetAndDestroy(), 100);
    });
    const { read, error } = await readUntilFailure(await open(source, url));
    expect([String(read), error.failure]).toEqual(["abc", "ended_early"]);
  });
});
