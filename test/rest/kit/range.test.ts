import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseRange } from "../../../src/rest/kit/range.js";

const content = { etag: '"a"', sizeBytes: 100 };
const choose = (range: string, ifRange?: string) => chooseRange({ range, "if-range": ifRange }, content);

describe("Range", () => {
  it.each([
    ["bytes=0-0", { offset: 0, limit: 1 }],
    ["bytes=10-19", { offset: 10, limit: 10 }],
    ["bytes=90-", { offset: 90, limit: 10 }],
    ["bytes=90-1000", { offset: 90, limit: 10 }],
    ["bytes=-5", { offset: 95, limit: 5 }],
    ["bytes=-1000", { offset: 0, limit: 100 }],
    ["BYTES= 1-2 ", { offset: 1, limit: 2 }],
    ["bytes=99-99999999999999999999999", { offset: 99, limit: 1 }],
    ["bytes=100-", "unsatisfiable"],
    ["bytes=99999999999999999999999-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-4", undefined],
    ["bytes=-", undefined],
    ["bytes=0-1,3-4", undefined],
    ["bytes=1", undefined],
    ["bytes 0-1", undefined],
    ["lines=0-1", undefined],
    ["", undefined],
  ])("%j of 100 bytes means %j", (range, expected) => {
    expect(choose(range)).toEqual(expected);
  });

  it("of no bytes is not there", () => {
    const none = { etag: '"a"', sizeBytes: 0 };
    for (const range of ["bytes=0-", "bytes=0-0", "bytes=-5"])
      expect(chooseRange({ range }, none)).toBe("unsatisfiable");
  });

  it("counts under If-Range only for the very same content", () => {
    expect(choose("bytes=0-0", '"a"')).toEqual({ offset: 0, limit: 1 });
    for (const other of ['"b"', 'W/"a"', "a", "", "Wed, 21 Oct 2015 07:28:00 GMT"]) {
      expect(choose("bytes=0-0", other)).toBeUndefined();
    }
  });

  it("lies within the content, whatever is asked", () => {
    const number = fc.option(fc.nat(300));
    fc.assert(
      fc.property(number, number, fc.nat(200), (first, last, sizeBytes) => {
        const range = chooseRange({ range: `bytes=${first ?? ""}-${last ?? ""}` }, { etag: "", sizeBytes });
        if (range === undefined || range === "unsatisfiable") return;
        expect(range.limit).toBeGreaterThan(0);
        expect(range.offset + range.limit).toBeLessThanOrEqual(sizeBytes);
      }),
    );
  });
});
