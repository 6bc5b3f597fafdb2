import { describe, expect, it } from "vitest";
import { preferredType } from "../../../src/rest/kit/index.js";

const offers = ["application/json", "application/xml", "text/xml"] as const;

describe("the preferred of several media types", () => {
  it.each<[string | undefined, string]>([
    [undefined, "application/json"],
    ["*/*", "application/json"],
    ["application/*", "application/json"],
    ["text/*", "text/xml"],
    ["APPLICATION/XML", "application/xml"],
    ["text/xml, application/xml", "application/xml"],
    ["text/xml;q=1.0, application/xml;q=0.999", "text/xml"],
    ["application/xml;charset=utf-8;q=0.2, application/json;q=0.1", "application/xml"],
    // The most exact range tells, wherever it stands.
    ["*/*, application/json;q=0.1", "application/xml"],
    ["application/*;q=0.5, application/xml;q=0.1, */*;q=0.3", "application/json"],
    ["text/*, */*", "text/xml"],
    ["*/*;q=0", "application/json"],
    ["image/png", "application/json"],
    // Weights that are none count for nothing.
    ["application/xml;q=2, */*;q=0.1", "application/json"],
    ["application/xml;q=-1, */*;q=0.1", "application/json"],
    ["application/xml;q=abc, */*;q=0.1", "application/json"],
    ["nonsense, ;;, /, text/, */*", "application/json"],
    [`${"a/b,".repeat(100)}application/xml`, "application/json"],
  ])("of %s is %s", (accept, type) => {
    expect(preferredType(accept, offers)).toBe(type);
  });
});
