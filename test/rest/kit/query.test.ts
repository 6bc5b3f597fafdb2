import { describe, expect, it } from "vitest";
import { HttpProblem, parsePairs } from "../../../src/rest/kit/index.js";
import { parseQuery } from "../../../src/rest/kit/query.js";

describe("the pairs of a query", () => {
  it.each<[string, readonly (readonly [string, string])[]]>([
    ["", []],
    ["&&", []],
    ["a", [["a", ""]]],
    ["a=", [["a", ""]]],
    ["=b", [["", "b"]]],
    [
      "a=b=c&&d",
      [
        ["a", "b=c"],
        ["d", ""],
      ],
    ],
    [
      "a=1&a=2&b=3&",
      [
        ["a", "1"],
        ["a", "2"],
        ["b", "3"],
      ],
    ],
    [
      "a+b=c+%2B&%C3%BC%3D=%26",
      [
        ["a b", "c +"],
        ["ü=", "&"],
      ],
    ],
    [
      "%7Eaction=x&__proto__=y",
      [
        ["~action", "x"],
        ["__proto__", "y"],
      ],
    ],
  ])("of %j are %j", (text, pairs) => {
    expect([...parsePairs(text)]).toEqual(pairs);
  });

  it("are read one by one: what comes after the last that is asked for does not matter", () => {
    expect(parsePairs("a=1&b=%zz").next().value).toEqual(["a", "1"]);
    expect(() => [...parsePairs("a=1&b=%zz")]).toThrow(
      new HttpProblem(400, 'a percent-escape in the query means nothing: "%zz"'),
    );
    expect(() => [...parsePairs("%e4", "form")]).toThrow(
      new HttpProblem(400, 'a percent-escape in the form means nothing: "%e4"'),
    );
  });

  it("with one name count by the first", () => {
    const query = parseQuery("A=1&a=2&b", "any case");
    expect([query.get("a"), query.get("B"), query.get("c")]).toEqual(["1", "", undefined]);
    expect(parseQuery("A=1&a=2", "exact").get("a")).toBe("2");
  });
});
