import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assertNoGap, parseReadRange } from "../../src/core/byte-range.js";

const huge = Number.MAX_SAFE_INTEGER;

describe("a part", () => {
  it("may begin anywhere up to what is stored", () => {
    for (const [offset, stored] of [
      [0, 0],
      [0, 10],
      [10, 10],
      [huge, huge],
    ] as const) {
      assertNoGap(offset, stored, "file");
    }
  });

  it("that would leave a gap is refused with the expected offset (P4)", () => {
    for (const [offset, stored] of [
      [1, 0],
      [11, 10],
      [huge, 10],
    ] as const) {
      expect(() => assertNoGap(offset, stored, "file")).toThrow(
        expect.objectContaining({
          code: "offset_mismatch",
          details: { reason: "OFFSET_UNEXPECTED", expectedOffset: stored },
        }),
      );
    }
  });
});

describe("a range to read", () => {
  it.each([
    [{}, 10, [0, 10]],
    [{}, 0, [0, 0]],
    [{ offset: 10 }, 10, [10, 10]],
    [{ offset: 3, limit: 4 }, 10, [3, 7]],
    [{ offset: 3, limit: 0 }, 10, [3, 3]],
    [{ offset: 3, limit: huge }, 10, [3, 10]],
    [{ limit: 0 }, 0, [0, 0]],
    [{ offset: huge, limit: huge }, huge, [huge, huge]],
  ])("of %j in %d bytes is %j", (input, sizeBytes, [from, to]) => {
    expect(parseReadRange(input, sizeBytes)).toEqual({ from, to });
  });

  it("past the end is refused with the size", () => {
    expect(() => parseReadRange({ offset: 11 }, 10)).toThrow(
      expect.objectContaining({
        code: "offset_mismatch",
        details: { reason: "OFFSET_UNEXPECTED", expectedOffset: 10 },
      }),
    );
  });

  it.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53])("with the number %d is invalid", (number) => {
    const refused = expect.objectContaining({ code: "invalid", details: { reason: "NUMBER_INVALID" } });
    expect(() => parseReadRange({ offset: number }, 10)).toThrow(refused);
    expect(() => parseReadRange({ limit: number }, 10)).toThrow(refused);
  });

  it("never leaves the content, never runs backwards and is never longer than asked", () => {
    const count = fc.oneof(fc.nat(20), fc.nat(huge));
    fc.assert(
      fc.property(count, count, count, (offset, limit, sizeBytes) => {
        fc.pre(offset <= sizeBytes);
        const { from, to } = parseReadRange({ offset, limit }, sizeBytes);
        expect(from).toBe(offset);
        expect(to).toBe(limit <= sizeBytes - offset ? offset + limit : sizeBytes);
      }),
    );
  });
});
