import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseName } from "../../../src/core/values.js";
import { chooseNames } from "../../../src/rest/folio/names.js";

describe("the core's name of a file", () => {
  it.each([
    ["marc.mrc", "marc.mrc"],
    ["", "file"],
    [".", "file"],
    ["..", "file"],
    ["../../etc/passwd", ".._.._etc_passwd"],
    ["a\\b", "a_b"],
    ["nul\0l\n", "nul_l_"],
    ['{"a"}[b](c)$d.mrc', '{"a"}[b](c)$d.mrc'],
    [`${"x".repeat(300)}.mrc`, `${"x".repeat(236)}.mrc`],
    ["é".repeat(300), "é".repeat(120)],
    [`a.${"e".repeat(300)}`, `a.${"e".repeat(238)}`],
  ])("of %j is %j", (text, name) => {
    expect(chooseNames([text])).toEqual([name]);
  });

  it("is another one where it is taken, with a number before the extension", () => {
    expect(chooseNames(["a.mrc", "a.mrc", "a", "a", "a (2)", ".x", ".x"], ["a.mrc"])).toEqual([
      "a (2).mrc",
      "a (3).mrc",
      "a",
      "a (2)",
      "a (2) (2)",
      ".x",
      ".x (2)",
    ]);
  });

  it("is one that the core takes, and never given twice, whatever the texts are", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("a", "a (2)", "/"))), (texts) => {
        const names = chooseNames(texts);
        expect(new Set(names).size).toBe(texts.length);
        for (const name of names) expect(parseName(name, "name")).toBe(name);
      }),
    );
  });

  it("is found fast for ten thousand files that are all called the same", () => {
    const names = chooseNames(Array<string>(10_000).fill("a.mrc"));
    expect(names.at(-1)).toBe("a (10000).mrc");
  });
});
