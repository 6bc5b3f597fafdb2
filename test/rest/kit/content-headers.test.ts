import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contentHeaders } from "../../../src/rest/kit/content-headers.js";

const dispositionOf = (name: string) => contentHeaders({ name, mediaType: "" })["content-disposition"];
const typeOf = (mediaType: string) => contentHeaders({ name: "a", mediaType })["content-type"];

describe("content that somebody sent", () => {
  it.each([
    ["a b.txt", 'attachment; filename="a b.txt"'],
    ["ü.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%BC.txt"],
    ["😀", "attachment; filename=\"_\"; filename*=UTF-8''%F0%9F%98%80"],
    ['a";x=".html', "attachment; filename=\"a_;x=_.html\"; filename*=UTF-8''a%22%3Bx%3D%22.html"],
    ["100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"],
    ["it's (1)*.txt", 'attachment; filename="it\'s (1)*.txt"'],
    ["é'(1)*", "attachment; filename=\"_'(1)*\"; filename*=UTF-8''%C3%A9%27%281%29%2A"],
  ])("is saved by its name %j", (name, expected) => {
    expect(dispositionOf(name)).toBe(expected);
  });

  it("has a name that cannot leave its quotes, and that comes back whole", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
        const value = dispositionOf(name) ?? "";
        const match = /^attachment; filename="([ !#-[\]-~]*)"(?:; filename\*=UTF-8''([A-Za-z0-9!._~%-]+))?$/.exec(
          value,
        );
        expect(match === null ? value : decodeURIComponent(match[2] ?? match[1] ?? "")).toBe(name);
      }),
    );
  });

  it.each(["text/plain", "text/plain; charset=utf-8", 'a/b;c="d e\\"f"', "application/vnd.x+json"])(
    "has the type it was declared with: %s",
    (type) => expect(typeOf(type)).toBe(type),
  );

  it.each(["", "text", "text/", "text/plain\r\nset-cookie: a=b", "text/plain;", "ä/ö", "a/b; c", 'a/b; c="d'])(
    "has no type where what was declared is none: %j",
    (type) => expect(typeOf(type)).toBe("application/octet-stream"),
  );

  it("is never taken for something else", () => {
    expect(contentHeaders({ name: "a", mediaType: "" })["x-content-type-options"]).toBe("nosniff");
  });
});
