import { describe, expect, it } from "vitest";
import { defaultExtensions } from "../../../src/rest/folio/default-extensions.js";
import { validateNewDefinition } from "../../../src/rest/folio/new-definition.js";

const large = (code: string) => ({ message: "upload.fileSize.invalid", code, parameters: [] });
const blocked = (code: string) => ({
  message: "validation.uploadDefinition.fileExtension.blocked",
  code,
  parameters: [],
});

function validate(files: readonly { name: string; size?: number }[], freeKb = 100, maxFileKb = 1000) {
  return validateNewDefinition({ files, extensions: defaultExtensions, freeKb, maxFileKb });
}

describe("a new definition", () => {
  it("may have files that fit and are not blocked, or say no size", () => {
    expect(validate([{ name: "a.mrc", size: 50 }, { name: "b.json", size: 49 }, { name: "c" }])).toEqual([]);
    expect(validate([{ name: "a.mrc" }], 0)).toEqual([]);
  });

  it("must leave something free after each of its files", () => {
    const sized = (...sizes: number[]) => sizes.map((size, n) => ({ name: `${n}`, size }));
    expect(validate(sized(100))).toEqual([large("0")]);
    expect(validate(sized(99))).toEqual([]);
    expect(validate(sized(99, 1))).toEqual([large("1")]);
    expect(validate(sized(100, 1))).toEqual([large("0"), large("1")]);
    expect(validate(sized(2147483647, 2147483647), 2 ** 40)).toEqual([large("0"), large("1")]);
    expect(validate(sized(0), 0)).toEqual([large("0")]);
  });

  it("has no file above the largest size", () => {
    const files = [
      { name: "a", size: 11 },
      { name: "b", size: 10 },
    ];
    expect(validate(files, 1000, 10)).toEqual([large("a")]);
  });

  it("gains no room by sizes below zero", () => {
    const files = [
      { name: "a", size: -1000 },
      { name: "b", size: 100 },
    ];
    expect(validate(files)).toEqual([large("b")]);
  });

  it("is told sizes before extensions, one entry each, and both of one file", () => {
    const files = [
      { name: "a.zip", size: 1 },
      { name: "b.PDF", size: 100 },
      { name: "a.zip", size: 1 },
    ];
    expect(validate(files)).toEqual([
      large("b.PDF"),
      large("a.zip"),
      blocked("a.zip"),
      blocked("b.PDF"),
      blocked("a.zip"),
    ]);
  });

  it("has at least one file", () => {
    const code = "jakarta.validation.constraints.NotEmpty.message";
    const parameters = [{ key: "fileDefinitions", value: "[]" }];
    expect(validate([])).toEqual([{ message: "must not be empty", type: "1", code, parameters }]);
  });
});
