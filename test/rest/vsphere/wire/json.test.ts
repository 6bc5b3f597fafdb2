import { describe, expect, it } from "vitest";
import type { JsonValue } from "../../../../src/core/index.js";
import { createProblems } from "../../../../src/rest/vsphere/wire/problems.js";
import { readJson } from "../../../../src/rest/vsphere/wire/from-json.js";
import { VapiError } from "../../../../src/rest/vsphere/errors.js";
import {
  boolean,
  instant,
  integer,
  list,
  oneOf,
  optional,
  struct,
  text,
  type Type,
} from "../../../../src/rest/vsphere/schema.js";

function read(type: Type, sent: JsonValue): unknown {
  const problems = createProblems();
  const found = readJson(type, sent, "p", problems);
  try {
    problems.assertNone();
  } catch (error) {
    if (!(error instanceof VapiError)) throw error;
    return error.messages.map((message) => message.default_message).join("; ");
  }
  return found;
}

const algorithm = oneOf("SHA1", "MD5", "SHA256", "SHA512");
const state = oneOf("WAITING_FOR_TRANSFER", "READY");
const wholeNumber = "a whole number from -(2^53-1) to 2^53-1";

describe("a value in JSON", () => {
  it.each<[Type, JsonValue, unknown]>([
    [text, "a b\nü😀", "a b\nü😀"],
    [text, "", ""],
    [integer, -5, -5],
    [integer, 9007199254740991, 9007199254740991],
    [integer, JSON.parse("1e3"), 1000],
    [integer, JSON.parse("-0"), 0],
    [boolean, false, false],
    [algorithm, "SHA256", "SHA256"],
    [algorithm, "SH_a1", "SHA1"],
    [algorithm, "M_d5", "MD5"],
    [algorithm, "SH_a512", "SHA512"],
    [algorithm, "sha256", "SHA256"],
    [state, "waitingForTransfer", "WAITING_FOR_TRANSFER"],
    [instant, "2013-06-06T22:13:05", new Date("2013-06-06T22:13:05Z")],
    [instant, "2013-06-06T22:13:05.000Z", new Date("2013-06-06T22:13:05Z")],
    [instant, "2013-06-06t22:13:05.123456789z", new Date("2013-06-06T22:13:05.123Z")],
    [instant, "2013-06-06T22:13:05.5+02:30", new Date("2013-06-06T19:43:05.5Z")],
    [instant, "2012-02-29T23:59:60-00:00", new Date("2012-03-01T00:00:00Z")],
    [instant, "0001-01-01T00:00:00Z", new Date("0001-01-01T00:00:00Z")],
    [list(integer), [1, 2], [1, 2]],
    [optional(list(text)), [], []],
    [optional(text), null, undefined],
    [struct({ a: optional(integer), b: text }), { a: null, b: "x", more: [{}] }, { b: "x" }],
    [struct({ a: text }), JSON.parse('{"a":"x","__proto__":{"a":"y"},"constructor":1}'), { a: "x" }],
    [struct({ a: optional(text) }), JSON.parse('{"__proto__":{"a":"y"}}'), {}],
    [struct({ toString: optional(text), constructor: optional(text) }), {}, {}],
  ])("of type %j: %j is %j", (type, sent, found) => {
    expect(read(type, sent)).toStrictEqual(found);
  });

  it.each<[Type, JsonValue, string]>([
    [text, 5, "p has to be a text, and is 5"],
    [text, ["a"], "p has to be a text, and is a list"],
    [text, "a\0b", 'p has to be a text of Unicode characters other than U+0000, and is "a\\u0000b"'],
    [text, "\ud800", 'p has to be a text of Unicode characters other than U+0000, and is "\\ud800"'],
    [text, { a: 1 }, "p has to be a text, and is an object"],
    [integer, "5", `p has to be ${wholeNumber}, and is "5"`],
    [integer, 1.5, `p has to be ${wholeNumber}, and is 1.5`],
    [integer, 9007199254740992, `p has to be ${wholeNumber}, and is 9007199254740992`],
    [integer, JSON.parse("1e999"), `p has to be ${wholeNumber}, and is Infinity`],
    [boolean, "true", 'p has to be true or false, and is "true"'],
    [boolean, 1, "p has to be true or false, and is 1"],
    [algorithm, "SHA3", 'p has to be one of SHA1, MD5, SHA256, SHA512, and is "SHA3"'],
    [algorithm, "constructor", 'p has to be one of SHA1, MD5, SHA256, SHA512, and is "constructor"'],
    [algorithm, "x".repeat(100), `p has to be one of SHA1, MD5, SHA256, SHA512, and is "${"x".repeat(80)}..."`],
    [state, 1, "p has to be a word, as text, and is 1"],
    [instant, 1370556785, "p has to be a moment, as text, and is 1370556785"],
    [list(text), "a", "p has to be a list"],
    [list(text), { 0: "a" }, "p has to be a list"],
    [list(text), ["a", null, 5], "p.2 is null in a list; p.3 has to be a text, and is 5"],
    [struct({ a: text }), [], "p has to be an object"],
    [struct({ a: text }), "x", "p has to be an object"],
    [
      struct({ a: struct({ b: list(struct({ c: integer })) }) }),
      { a: { b: [{ c: 1 }, { c: "x" }] } },
      `p.a.b.2.c has to be ${wholeNumber}, and is "x"`,
    ],
  ])("of type %j: %j is refused", (type, sent, sentence) => {
    expect(read(type, sent)).toBe(sentence);
  });

  it.each([
    "2013-06-06",
    "2013-06-06T22:13",
    "2013-06-06 22:13:05",
    "2013-02-30T00:00:00Z",
    "2013-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2013-13-01T00:00:00Z",
    "2013-00-01T00:00:00Z",
    "2013-06-00T00:00:00Z",
    "2013-06-06T24:00:00Z",
    "2013-06-06T22:60:00Z",
    "2013-06-06T22:13:05+24:00",
    "2013-06-06T22:13:05.Z",
    "9999-12-31T23:59:59-00:01",
    "0000-01-01T00:00:00+00:01",
    "+12013-06-06T22:13:05Z",
    "Thu, 06 Jun 2013 22:13:05 GMT",
    "",
  ])("is no moment: %s", (sent) => {
    const sentence = `p has to be a moment such as 2013-06-06T22:13:05.000Z, and is ${JSON.stringify(sent)}`;
    expect(read(instant, sent)).toBe(sentence);
  });
});
