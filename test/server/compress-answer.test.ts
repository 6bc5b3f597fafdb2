import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { WireResponse } from "../../src/rest/kit/index.js";
import { takesGzip } from "../../src/server/accept-encoding.js";
import { compressAnswer } from "../../src/server/compress-answer.js";
import { bodyOf, brokenBody, pseudoRandom, readWhole, slices } from "../support/bodies.js";

describe("gzip is taken", () => {
  it.each([
    "gzip",
    "GZIP",
    "deflate, gzip",
    "gzip;q=0.5",
    "gzip ; Q=1.000",
    "br;q=1.0, gzip;q=0.8, *;q=0.1",
    "x-gzip",
    "*",
    "gzip;q=0.5, identity;q=0.5",
  ])("with %s", (header) => {
    expect(takesGzip(header)).toBe(true);
  });

  it.each([
    undefined,
    "",
    "br",
    "identity",
    "gzip;q=0",
    "gzip;q=0.000, *",
    "*;q=0",
    "gzip;q=0.4, identity;q=0.5",
    "gzip;q=2",
    "gzip;q=x",
    "gzipped",
    ",;,",
  ])("not with %s", (header) => {
    expect(takesGzip(header)).toBe(false);
  });
});

describe("an answer", () => {
  const long = "the same words again; ".repeat(100);
  const answer = (more: Partial<WireResponse> = {}): WireResponse => ({
    status: 200,
    headers: { "content-type": "text/plain" },
    body: long,
    compressible: true,
    ...more,
  });
  const unpack = async ({ body }: WireResponse) =>
    gunzipSync(await readWhole(body as AsyncIterable<Uint8Array>)).toString();

  it("that may be is compressed, whatever it is given as, without the length it had", async () => {
    const given = [long, Buffer.from(long), bodyOf(slices(Buffer.from(long), 100))];
    for (const body of given) {
      const headers = { "content-length": "2200", etag: '"x"', vary: "Accept" };
      const compressed = compressAnswer(answer({ headers, body }), "gzip");
      expect(compressed).toMatchObject({
        status: 200,
        headers: { "content-encoding": "gzip", etag: 'W/"x"', vary: "Accept, Accept-Encoding" },
      });
      expect(compressed.headers).not.toHaveProperty("content-length");
      expect(await unpack(compressed)).toBe(long);
    }
  });

  it("that could be says that it varies, and stays as it is where the client does not take it, or it is small", () => {
    const vary = { "content-type": "text/plain", vary: "Accept-Encoding" };
    for (const [given, accepted] of [
      [answer(), undefined],
      [answer(), "gzip;q=0"],
      [answer({ body: "x".repeat(1_023) }), "gzip"],
    ] as const) {
      expect(compressAnswer(given, accepted)).toEqual({ ...given, headers: vary });
    }
    const range = answer({ headers: { "content-range": "bytes 0-1/2" } });
    expect(compressAnswer(range, "gzip").headers).not.toHaveProperty("content-encoding");
  });

  it("that may not be, is coded already or has no body stays as it is", () => {
    const { compressible: _, ...secret } = answer();
    const { body: __, ...empty } = answer();
    for (const given of [secret, empty, answer({ headers: { "content-encoding": "br" } })]) {
      expect(compressAnswer(given, "gzip")).toBe(given);
    }
  });

  it("whose stream breaks breaks, and one that is read no further lets its stream go", async () => {
    const broken = compressAnswer(answer({ body: brokenBody([pseudoRandom(100_000)]) }), "gzip");
    await expect(unpack(broken)).rejects.toThrow("connection reset");
    let state = "new";
    const endless = (async function* () {
      try {
        for (let seed = 1; ; seed++) yield pseudoRandom(65_536, seed);
      } finally {
        state = "let go";
      }
    })();
    for await (const chunk of compressAnswer(answer({ body: endless }), "gzip").body as AsyncIterable<Uint8Array>) {
      if (chunk.length > 1_000) break;
    }
    await expect.poll(() => state).toBe("let go");
  });
});
