import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toImisError } from "../../../src/rest/imis/errors.js";
import { readPart } from "../../../src/rest/imis/uploads/part-headers.js";

type Headers = Record<string, string>;

function read(range: string | undefined, more: Headers = {}, httpVersion: "1.1" | "2" = "1.1") {
  return readPart({ headers: { ...(range !== undefined && { "content-range": range }), ...more }, httpVersion });
}

/** A PUT of this many bytes. */
const of = (length: number): Headers => ({ "content-length": String(length) });

function refusal(run: () => unknown) {
  try {
    run();
  } catch (error) {
    const { code, status, message, details } = toImisError(error)!;
    return { code, status, message, details };
  }
  throw new Error("it was not refused");
}

describe("decision 1: Content-Range", () => {
  it.each([
    ["100-199", undefined],
    ["bytes 100-199", undefined],
    ["bytes=100-199", undefined],
    ["BYTES 100-199/*", undefined],
    ["bytes 100-199/4096", 4096],
    ["100-199/200", 200],
    ["100-199/*", undefined],
    ["  Bytes 100-199/4096\t", 4096],
    ["bytes=0100-0199", undefined],
  ])("is accepted as %j", (range, sizeBytes) => {
    expect(read(range, of(100))).toEqual({
      kind: "part",
      offset: 100,
      lengthBytes: 100,
      sizeBytes,
      checksum: undefined,
    });
  });

  it("has numbers up to 2^53-1", () => {
    const most = Number.MAX_SAFE_INTEGER;
    expect(read(`${most}-${most}`, of(1))).toMatchObject({ offset: most, lengthBytes: 1 });
    for (const range of [`${most + 1}-${most + 1}`, `0-${most + 1}`, `0-0/${most + 1}`, "0-9999999999999999"]) {
      expect(refusal(() => read(range, of(1)))).toMatchObject({ code: "content_range_invalid", status: 400 });
    }
  });

  it.each([
    "",
    "-",
    "1",
    "1-",
    "-1",
    "1-2-3",
    "a-b",
    "0x1-0x2",
    "1.0-2.0",
    "+1-2",
    "1-+2",
    "1 - 2",
    "bytes",
    "bytes 1-2/",
    "bytes  1-2",
    "bytes: 1-2",
    "bytes=1-2,3-4",
    "1-2, 3-4",
    "1-2,1-2",
    "bytes 1-2/3/4",
    "bytes 1-2/-1",
    "bytes */*",
    "*",
    "*/",
    "bytes=*/10",
    "items 1-2",
    "١-٢",
    "1-2\u0000",
    "00000000000000001-2",
    "1-2/**",
    "bytes 2-1",
    "NaN-9",
  ])("is refused as %j", (range) => {
    expect(refusal(() => read(range, of(2)))).toMatchObject({ code: "content_range_invalid", status: 400 });
  });

  it("has to be there: where a part belongs is never guessed", () => {
    expect(refusal(() => read(undefined, of(2)))).toMatchObject({ code: "content_range_required", status: 400 });
  });

  it.each(["bytes */4096", "*/4096", " BYTES */4096 "])(
    "asks how far the content is as %j, without a body",
    (range) => {
      const probe = { kind: "probe", sizeBytes: 4096 };
      expect(read(range, of(0))).toEqual(probe);
      expect(read(range)).toEqual(probe);
      expect(read(range, {}, "2")).toEqual(probe);
      expect(refusal(() => read(range, of(1)))).toMatchObject({ code: "content_length_mismatch", status: 400 });
      const chunked = { "transfer-encoding": "chunked" };
      expect(refusal(() => read(range, chunked))).toMatchObject({ code: "content_length_mismatch" });
    },
  );

  it("is shown in its refusal as far as it is short", () => {
    for (const text of [
      "9".repeat(60_000),
      "-".repeat(60_000),
      `bytes ${"1-".repeat(30_000)}`,
      `1${" ".repeat(60_000)}2`,
    ]) {
      expect(refusal(() => read(text, of(1))).message.length).toBeLessThan(200);
    }
  });
});

describe("decision 2: the end of a range is the position of its last byte", () => {
  it("so that a part has one byte more than the difference", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 40), fc.integer({ min: 1, max: 2 ** 40 }), (offset, length) => {
        const part = read(`${offset}-${offset + length - 1}`, of(length));
        expect(part).toMatchObject({ offset, lengthBytes: length });
      }),
    );
  });

  it("and a client that takes it for the one behind is told so, and is not taken at its word", () => {
    const told = refusal(() => read("0-1024", of(1024)));
    expect(told).toMatchObject({ code: "content_length_mismatch", status: 400 });
    expect(told.details).toEqual({ range_length: 1025, content_length: 1024 });
    expect(told.message).toContain("a range ends with the position of its last byte: 0-1023");
    expect(refusal(() => read("0-1024", of(1023))).message).not.toContain("last byte");
    expect(refusal(() => read("7-7", of(0))).message).not.toContain("last byte");
  });
});

describe("decision 3: a total that a range tells", () => {
  it("is known with the part, and never ends before the part does", () => {
    expect(read("0-9/10", of(10))).toMatchObject({ sizeBytes: 10 });
    for (const range of ["0-9/9", "bytes 1-2/2", "0-0/0"]) {
      expect(refusal(() => read(range, of(10)))).toMatchObject({ code: "length_inconsistent", status: 400 });
    }
  });
});

describe("decision 4: the length of the body", () => {
  it.each([0, 1, 9, 11, 1000])("is that of the range, and not %i", (length) => {
    expect(refusal(() => read("0-9", of(length)))).toMatchObject({ code: "content_length_mismatch", status: 400 });
  });

  it("may come with the body's last chunk, over HTTP/1.1", () => {
    expect(read("0-9", { "transfer-encoding": "chunked" })).toMatchObject({ lengthBytes: 10 });
    expect(refusal(() => read("0-9"))).toMatchObject({ code: "content_length_mismatch", status: 400 });
  });

  it("has to be announced over HTTP/2, where the end of a stream is no end of a body (P11)", () => {
    expect(read("0-9", of(10), "2")).toMatchObject({ lengthBytes: 10 });
    expect(refusal(() => read("0-9", {}, "2"))).toMatchObject({ code: "length_required", status: 411 });
  });

  it("is of the content itself: codings are refused", () => {
    const coded = { ...of(10), "content-encoding": "gzip" };
    expect(refusal(() => read("0-9", coded))).toMatchObject({ code: "coding_unsupported", status: 415 });
  });
});

describe("decision 22: the digest of a part", () => {
  const content = Buffer.from("ten bytes!");
  const digest = (algorithm: string, encoding: "base64" | "hex" = "base64") =>
    createHash(algorithm).update(content).digest(encoding);
  const sha256 = { algorithm: "sha256", value: digest("sha256", "hex") };
  const checksumOf = (headers: Headers) => {
    const part = read("0-9", { ...of(10), ...headers });
    return part.kind === "part" ? part.checksum : undefined;
  };

  it.each<[string, Headers, object]>([
    ["Content-Digest", { "content-digest": `sha-256=:${digest("sha256")}:` }, sha256],
    [
      "Content-Digest by two algorithms, of which the stronger one counts",
      { "content-digest": `sha-512=:${digest("sha512")}:, sha-256=:${digest("sha256")}:` },
      { algorithm: "sha512", value: digest("sha512", "hex") },
    ],
    ["Upload-Checksum", { "upload-checksum": `sha256 ${digest("sha256")}` }, sha256],
    [
      "Upload-Checksum by SHA-1, as tus has it",
      { "upload-checksum": `sha1 ${digest("sha1")}` },
      { algorithm: "sha1", value: digest("sha1", "hex") },
    ],
    ["Content-MD5", { "content-md5": digest("md5") }, { algorithm: "md5", value: digest("md5", "hex") }],
    [
      "several of them, of which the strongest one counts",
      {
        "content-md5": digest("md5"),
        "upload-checksum": `sha256 ${digest("sha256")}`,
        "content-digest": `sha-256=:${digest("sha256")}:`,
      },
      sha256,
    ],
  ])("comes as %s", (_, headers, expected) => expect(checksumOf(headers)).toEqual(expected));

  it("need not be there", () => expect(checksumOf({})).toBeUndefined());

  const other = createHash("sha256").update("other").digest("base64");
  it.each<[string, Headers]>([
    [
      "contradicts another one",
      { "content-digest": `sha-256=:${digest("sha256")}:`, "upload-checksum": `sha256 ${other}` },
    ],
    ["is of no algorithm that is served", { "content-digest": "adler=:AAAAAA==:" }],
    ["is of no algorithm that there is", { "upload-checksum": `sha257 ${digest("sha256")}` }],
    ["is hex", { "upload-checksum": `sha256 ${digest("sha256", "hex")}` }],
    ["is short", { "content-md5": "AAAA" }],
    ["is long", { "content-md5": digest("sha1") }],
    ["is no Base64", { "content-md5": "*".repeat(24) }],
    ["has bits behind its end", { "content-md5": `${digest("md5").slice(0, 21)}B==` }],
    ["is empty", { "content-md5": "" }],
    ["is empty, too", { "content-digest": "" }],
    ["has no algorithm", { "upload-checksum": digest("sha256") }],
    ["has two", { "upload-checksum": `sha256 ${digest("sha256")}, sha1 ${digest("sha1")}` }],
    ["has no colons", { "content-digest": `sha-256=${digest("sha256")}` }],
    ["is of the whole", { "repr-digest": `sha-256=:${digest("sha256")}:` }],
  ])("is refused where it %s", (_, headers) => {
    expect(refusal(() => checksumOf(headers))).toMatchObject({ code: "digest_invalid", status: 400 });
  });
});
