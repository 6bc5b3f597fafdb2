import { describe, expect, it } from "vitest";
import { createSecretLine, type Taken } from "../../../src/cli/shell/secret-line.js";

/** What is typed, up to the byte that ends it. */
function type(keys: string | Uint8Array): { text: string | undefined; last: Taken; wrong: number } {
  const line = createSecretLine();
  let last: Taken = "more";
  let wrong = 0;
  for (const byte of Buffer.from(keys)) {
    last = line.take(byte);
    if (last === "wrong") wrong += 1;
    else if (last !== "more") break;
  }
  return { text: line.text(), last, wrong };
}

describe("a line that is not shown", () => {
  it.each([
    ["secret\r", "secret"],
    ["secret\n", "secret"],
    ["  blanks count \r", "  blanks count "],
    ["first\rsecond\r", "first"],
    ["pässwörd 🔑\r", "pässwörd 🔑"],
    ["ab\x7fc\r", "ac"],
    ["ab\x08c\r", "ac"],
    ["aé\x7fb\r", "ab"],
    ["a🔑\x7fb\r", "ab"],
    ["wrong\x15right\r", "right"],
    ["one two  \x17three\r", "one three"],
    ["\x1b[200~pasted\x1b[201~\r", "pasted"],
  ])("of %j is %j", (keys, text) => {
    expect(type(keys)).toEqual({ text, last: "done", wrong: 0 });
  });

  it.each([
    ["a\x1b[Db\r", "ab"],
    ["a\x1bOAb\r", "ab"],
    ["a\x1b[1;5Cb\r", "ab"],
    ["\x7fa\r", "a"],
    ["a\x04b\r", "ab"],
    ["a\tb\r", "ab"],
    ["a\x00b\r", "ab"],
  ])("takes nothing from a key that it does not know, and tells: %j", (keys, text) => {
    expect(type(keys)).toEqual({ text, last: "done", wrong: 1 });
  });

  it.each([
    ["abc\x03", "interrupted"],
    ["a\x1b\x03", "interrupted"],
    ["\x04", "ended"],
  ])("%j is no answer: %s", (keys, last) => {
    expect(type(keys).last).toBe(last);
  });

  it("that is not UTF-8 is no text", () => {
    expect(type(Uint8Array.of(0x61, 0xff, 0x0d)).text).toBeUndefined();
  });
});
