import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseContentRange } from "../../../src/rest/kit/content-range.js";

const refused = { code: "invalid", details: { reason: "NUMBER_INVALID" } };

describe("Content-Range", () => {
  it("says which bytes come, and of how many", () => {
    const count = fc.integer({ min: 0, max: 2 ** 51 });
    fc.assert(
      fc.property(count, count, fc.option(count), (offset, more, rest) => {
        const last = offset + more;
        const sizeBytes = rest === null ? undefined : last + 1 + rest;
        const range = parseContentRange(`bytes ${offset}-${last}/${sizeBytes ?? "*"}`);
        expect(range).toEqual({ kind: "part", offset, lengthBytes: more + 1, sizeBytes });
      }),
    );
  });

  it("may name a size and no bytes", () => {
    expect(parseContentRange("bytes */0")).toEqual({ kind: "none", sizeBytes: 0 });
    expect(parseContentRange("Bytes */12")).toEqual({ kind: "none", sizeBytes: 12 });
  });

  it.each([
    "",
    "bytes",
    "bytes 0-3",
    "0-3/4",
    "bytes=0-3/4",
    "bytes 0-3/4 ",
    "bytes  0-3/4",
    "bytes 4-3/9",
    "bytes 0-4/4",
    "bytes -4/9",
    "bytes 0-/9",
    "bytes */*",
    "bytes 0-3/4, bytes 4-5/6",
    "bytes 0x0-3/4",
    "bytes 0-9007199254740992/*",
    "bytes 0-3/9007199254740993",
    "items 0-3/4",
  ])("is refused as %j", (text) => {
    expect(() => parseContentRange(text)).toThrow(expect.objectContaining(refused));
  });

  it("is understood or refused, whatever it holds", () => {
    const piece = fc.constantFrom("bytes", " ", "-", "/", "*", "0", "7", "99999999999999999999", ",", "\t");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          const range = parseContentRange(pieces.join(""));
          if (range.kind === "part") expect(range.lengthBytes).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject(refused);
        }
      }),
    );
  });
});
