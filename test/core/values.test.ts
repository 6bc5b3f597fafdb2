import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Attributes,
  canonicalJson,
  defaultLimits,
  parseAttributes,
  parseCount,
  parseId,
  parseName,
  parseText,
} from "../../src/core/index.js";

const refusal = (reason: string) =>
  expect.objectContaining({ code: "invalid", details: expect.objectContaining({ reason }) });

describe("an id", () => {
  it("is a UUID of any version, in either case, and comes out in lower case", () => {
    const upper = "3F2504E0-4F89-41D3-9A0C-0305E82C3301";
    expect(parseId(upper, "session id")).toBe(upper.toLowerCase());
    expect(parseId("018f4d2e-7b1c-7abc-8def-0123456789ab", "session id")).toBe("018f4d2e-7b1c-7abc-8def-0123456789ab");
  });

  it.each([
    ["nothing", ""],
    ["a word", "session"],
    ["no hyphens", "3f2504e04f8941d39a0c0305e82c3301"],
    ["a digit too many", "3f2504e0-4f89-41d3-9a0c-0305e82c33011"],
    ["a line feed behind it", "3f2504e0-4f89-41d3-9a0c-0305e82c3301\n"],
    ["a version of 0", "3f2504e0-4f89-01d3-9a0c-0305e82c3301"],
    ["another variant", "3f2504e0-4f89-41d3-7a0c-0305e82c3301"],
    ["braces", "{3f2504e0-4f89-41d3-9a0c-0305e82c3301}"],
    ["SQL", "' or 1=1 --"],
    ["a megabyte", "a".repeat(2 ** 20)],
  ])("with %s is refused, without repeating more than 80 characters of it", (_what, value) => {
    expect(() => parseId(value, "session id")).toThrow(refusal("ID_MALFORMED"));
    expect(() => parseId(value, "session id")).toThrow(/^session id is not a UUID: .{0,100}$/);
  });
});

describe("a count", () => {
  it.each([0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER])("may be %d", (value) => {
    expect(parseCount(value, "size")).toBe(value);
  });

  it.each([-1, 0.5, -0.5, 2 ** 53, 1e300, Number.NaN, Infinity, -Infinity])("of %d is refused", (value) => {
    expect(() => parseCount(value, "size")).toThrow(refusal("NUMBER_INVALID"));
  });

  it("that is a text, a null or a bigint is refused like a wrong number", () => {
    for (const value of ["1", null, undefined, 1n, [], {}]) {
      expect(() => parseCount(value as number, "size")).toThrow(refusal("NUMBER_INVALID"));
    }
  });
});

describe("a name", () => {
  it.each([
    ["a space", " "],
    ["dots behind", "..."],
    ["other scripts", "日本語 ваза 🗂️.bin"],
    ["quotes and percent signs", `'"%2F;--`],
    ["255 bytes", "a".repeat(255)],
    ["255 bytes in 85 characters", "日".repeat(85)],
    ["a name that objects have", "__proto__"],
  ])("may be %s", (_what, value) => {
    expect(parseName(value, "file name")).toBe(value);
  });

  it.each([
    ["empty", ""],
    ["this folder", "."],
    ["the folder above", ".."],
    ["a path", "a/b"],
    ["a path upwards", "../../etc/passwd"],
    ["a path with backslashes", "..\\b"],
    ["NUL", "a\0b"],
    ["a line feed", "a\nb"],
    ["a carriage return at the end", "a\r"],
    ["an escape", "\u001b[31m"],
    ["DEL", "a\u007f"],
    ["a C1 control character", "a\u0085b"],
    ["a lone high surrogate", "a\ud800"],
    ["a lone low surrogate", "\udc00a"],
    ["256 bytes", "a".repeat(256)],
    ["256 bytes in 86 characters", `${"日".repeat(85)}a`],
    ["a megabyte", "x".repeat(2 ** 20)],
  ])("may not be %s", (_what, value) => {
    expect(() => parseName(value, "file name")).toThrow(refusal("NAME_INVALID"));
  });

  it("that is refused is told without control characters and shortened", () => {
    let message = "";
    try {
      parseName(`\u001b${"x".repeat(1000)}`, "file name");
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/^file name /);
    expect(message).not.toContain("\u001b");
    expect(message.length).toBeLessThan(250);
  });
});

describe("a text", () => {
  it("may be empty, have line feeds, and be as long as allowed but not longer", () => {
    expect(parseText("", "label", 3)).toBe("");
    expect(parseText("a\nb", "label", 3)).toBe("a\nb");
    expect(() => parseText("abcd", "label", 3)).toThrow(refusal("TEXT_INVALID"));
  });

  it.each(["\0", "a\ud800", "\udfffa"])("may not have what the database cannot store: %j", (value) => {
    expect(() => parseText(value, "label", 10)).toThrow(refusal("TEXT_INVALID"));
  });
});

describe("attributes", () => {
  const parse = (value: unknown, maxAttributesBytes = 1000) =>
    parseAttributes(value as Attributes, { ...defaultLimits, maxAttributesBytes });
  const limit = { setting: "SLIPWAY_MAX_ATTRIBUTES_BYTES", value: 10 };
  const nested = (levels: number): object => (levels === 0 ? {} : { a: nested(levels - 1) });

  it("come out as they went in", () => {
    const value = { a: [1, null, true, { b: "日本 🗂️" }], "": "", n: -0.5 };
    expect(parse(value)).toEqual(value);
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 4 })), (any) => {
        const words = JSON.parse(JSON.stringify(any).replaceAll("\\u0000", ""));
        expect(parse(words, 2 ** 20)).toEqual(words);
      }),
    );
  });

  it("have at most the allowed bytes of JSON text, in UTF-8", () => {
    expect(parse({ a: "é" }, 10)).toEqual({ a: "é" });
    expect(() => parse({ a: "éé" }, 10)).toThrow(
      expect.objectContaining({ code: "invalid", details: { reason: "ATTRIBUTES_INVALID", limit } }),
    );
  });

  it("have at most 16 levels", () => {
    expect(parse(nested(15))).toEqual(nested(15));
    expect(() => parse(nested(16))).toThrow(refusal("ATTRIBUTES_INVALID"));
    expect(() => parse(nested(5000), 1e6)).toThrow(refusal("ATTRIBUTES_INVALID"));
  });

  it.each([
    ["NUL in a value", { a: "x\0" }],
    ["NUL in a name", { "x\0": 1 }],
    ["a lone surrogate in a value", { a: "\ud800" }],
    ["a lone surrogate in a name", { "\udc00": 1 }],
    ["NaN", { a: Number.NaN }],
    ["Infinity", { a: [Infinity] }],
  ])("with %s are refused", (_what, value) => {
    expect(() => parse(value)).toThrow(refusal("ATTRIBUTES_INVALID"));
  });

  it("that go round in a circle are refused", () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(() => parse(circle)).toThrow(refusal("ATTRIBUTES_INVALID"));
  });

  it("may have backslashes that only look like escapes of NUL or of surrogates", () => {
    for (const value of [{ path: "C:\\udata\\x" }, { pattern: "\\u0000" }, { pattern: "\\ud800" }]) {
      expect(parse(value)).toEqual(value);
    }
  });
});

describe("canonical JSON", () => {
  it("is the same text whatever the order of members, at every level", () => {
    expect(canonicalJson({ b: { y: 1, x: [{ q: 1, p: 2 }] }, a: null })).toBe(
      canonicalJson({ a: null, b: { x: [{ p: 2, q: 1 }], y: 1 } }),
    );
  });

  it("keeps the order of lists and tells different values apart", () => {
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const same = JSON.stringify(JSON.parse(canonicalJson(a))) === JSON.stringify(JSON.parse(canonicalJson(b)));
        expect(canonicalJson(a) === canonicalJson(b)).toBe(same);
      }),
    );
  });
});
