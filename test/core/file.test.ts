import { describe, expect, it } from "vitest";
import { defaultLimits, isSameSpec, parseFileSpec, settleSize } from "../../src/core/index.js";
import { buildFile } from "../support/builders.js";

const limits = { ...defaultLimits, maxFileBytes: 1000, maxAttributesBytes: 20 };
const sha1 = { algorithm: "SHA1", value: "AB".repeat(20) };
const spec = (more: object = {}) => parseFileSpec({ name: "a.bin", ...more }, limits);

describe("a file spec", () => {
  it("needs a name only; the rest has defaults", () => {
    expect(spec()).toEqual({
      name: "a.bin",
      sizeBytes: undefined,
      checksums: [],
      mediaType: "",
      onFailure: "file",
      attributes: {},
    });
  });

  it("may declare no bytes at all, and as many as the limit allows", () => {
    expect(spec({ sizeBytes: 0 }).sizeBytes).toBe(0);
    expect(spec({ sizeBytes: 1000 }).sizeBytes).toBe(1000);
  });

  it("over the largest file is refused with the limit's setting and value (P10)", () => {
    expect(() => spec({ sizeBytes: 1001 })).toThrow(
      expect.objectContaining({
        code: "too_large",
        details: { reason: "SIZE_EXCEEDED", limit: { setting: "SLIPWAY_MAX_FILE_BYTES", value: 1000 } },
      }),
    );
  });

  it.each([
    [{ sizeBytes: -1 }, "NUMBER_INVALID"],
    [{ sizeBytes: 1.5 }, "NUMBER_INVALID"],
    [{ sizeBytes: Number.NaN }, "NUMBER_INVALID"],
    [{ sizeBytes: 2 ** 53 }, "NUMBER_INVALID"],
    [{ name: "" }, "NAME_INVALID"],
    [{ name: "a/b" }, "NAME_INVALID"],
    [{ mediaType: "x".repeat(256) }, "TEXT_INVALID"],
    [{ mediaType: "a\0" }, "TEXT_INVALID"],
    [{ checksums: [{ algorithm: "sha1", value: "" }] }, "CHECKSUM_MALFORMED"],
    [{ attributes: { a: "\0" } }, "ATTRIBUTES_INVALID"],
  ])("with %j is invalid", (wrong, reason) => {
    expect(() => spec(wrong)).toThrow(expect.objectContaining({ code: "invalid", details: { reason } }));
  });

  it("with an unknown algorithm is unsupported", () => {
    expect(() => spec({ checksums: [{ algorithm: "whirlpool", value: "00" }] })).toThrow(
      expect.objectContaining({ code: "unsupported", details: { reason: "ALGORITHM_UNKNOWN" } }),
    );
  });

  it("says the same whatever the case and order of its words (P4)", () => {
    const md5 = { algorithm: "md5", value: "cd".repeat(16) };
    const one = spec({ sizeBytes: 1, checksums: [sha1, md5], attributes: { a: 1, b: { c: 2 } } });
    const lower = { algorithm: "sha1", value: "ab".repeat(20) };
    const other = spec({ sizeBytes: 1, checksums: [md5, lower], attributes: { b: { c: 2 }, a: 1 } });
    expect(isSameSpec(one, other)).toBe(true);
  });

  it.each([
    { name: "b.bin" },
    { sizeBytes: 2 },
    { sizeBytes: 0 },
    { checksums: [sha1] },
    { mediaType: "text/plain" },
    { onFailure: "session" },
    { attributes: { a: null } },
  ])("differs with %j", (change) => {
    expect(isSameSpec(spec(), spec(change))).toBe(false);
  });
});

describe("a size declared late", () => {
  const file = (sizeBytes?: number) => buildFile({ tenantId: "t", sessionId: "s", sizeBytes });

  it("settles what was unknown, and stays (P4)", () => {
    expect(settleSize(file(), undefined, limits)).toBeUndefined();
    expect(settleSize(file(), 0, limits)).toBe(0);
    expect(settleSize(file(), 5, limits)).toBe(5);
    expect(settleSize(file(5), undefined, limits)).toBe(5);
    expect(settleSize(file(5), 5, limits)).toBe(5);
    expect(() => settleSize(file(5), 6, limits)).toThrow(
      expect.objectContaining({
        code: "invalid",
        details: { reason: "SIZE_DIFFERS", declared: "5", actual: "6" },
      }),
    );
    expect(() => settleSize(file(0), 6, limits)).toThrow(expect.objectContaining({ code: "invalid" }));
  });

  it("is held to the same limits as one declared at first", () => {
    expect(() => settleSize(file(), 1001, limits)).toThrow(expect.objectContaining({ code: "too_large" }));
    expect(() => settleSize(file(), -1, limits)).toThrow(expect.objectContaining({ code: "invalid" }));
    expect(() => settleSize(file(5), Number.NaN, limits)).toThrow(expect.objectContaining({ code: "invalid" }));
  });
});
