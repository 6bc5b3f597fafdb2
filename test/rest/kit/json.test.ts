import { expect, it } from "vitest";
import { parseJson } from "../../../src/rest/kit/json.js";

it("JSON of more than a million values is refused, for it would take many times the memory of its text (P10)", () => {
  expect(() => parseJson(`[${"{},".repeat(500_000)}{}]`)).toThrow("the JSON has more than 1000000 values");
  expect(parseJson(`[${"0,".repeat(999_998)}0]`)).toHaveLength(999_999);
});

it("text in JSON counts as one value, whatever is in it", () => {
  expect(parseJson(`["${"{,[".repeat(500_000)}\\""]`)).toHaveLength(1);
});
