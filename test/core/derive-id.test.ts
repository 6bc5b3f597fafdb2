import { expect, it } from "vitest";
import { deriveId, isId } from "../../src/core/index.js";

it("words have one id, and others another, however they are cut", () => {
  const id = deriveId("a", "bc");
  expect(isId(id)).toBe(true);
  expect(id[14]).toBe("8");
  expect(deriveId("a", "bc")).toBe(id);
  expect(new Set([id, deriveId("ab", "c"), deriveId("a", "bc", ""), deriveId("a,bc"), deriveId()]).size).toBe(5);
});
