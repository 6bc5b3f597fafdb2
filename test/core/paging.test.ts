import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createId,
  defaultPageSize,
  maxPageSize,
  pageByName,
  pageOf,
  parsePage,
  parsePageByName,
} from "../../src/core/index.js";

const refused = expect.objectContaining({ code: "invalid", details: { reason: "PAGE_INVALID" } });
const things = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: createId(), createdAt: new Date(1_750_000_000_000 + i) }));

describe("a page", () => {
  it("has the default size when none or 0 is asked, and at most the largest", () => {
    expect(parsePage({})).toEqual({ limit: defaultPageSize });
    expect(parsePage({ size: 0, cursor: "" })).toEqual({ limit: defaultPageSize });
    expect(parsePage({ size: 1 })).toEqual({ limit: 1 });
    expect(parsePage({ size: maxPageSize })).toEqual({ limit: maxPageSize });
    expect(parsePage({ size: maxPageSize + 1 })).toEqual({ limit: maxPageSize });
    expect(parsePage({ size: Number.MAX_SAFE_INTEGER })).toEqual({ limit: maxPageSize });
  });

  it.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53])("of size %d is refused", (size) => {
    expect(() => parsePage({ size })).toThrow(refused);
  });

  it("ends without a cursor when nothing follows", () => {
    expect(pageOf([], 5)).toEqual({ things: [], nextCursor: undefined });
    const five = things(5);
    expect(pageOf(five, 5)).toEqual({ things: five, nextCursor: undefined });
  });

  it("of large things has fewer of them, at least one, and all of them come in the end", () => {
    const large = (bytes: number) =>
      things(20).map((thing) => ({ ...thing, attributes: { text: "\u20ac".repeat(bytes / 3) } }));
    for (const bytes of [300_000, 6_000_000]) {
      const all = large(bytes);
      const seen: unknown[] = [];
      for (let rest = all; rest.length > 0; rest = all.slice(seen.length)) {
        const page = pageOf(rest.slice(0, 11), 10);
        seen.push(...page.things);
        const sent = Buffer.byteLength(JSON.stringify(page.things));
        expect(sent < 4 * 2 ** 20 || page.things.length === 1).toBe(true);
        expect(page.things.length).toBeGreaterThan(0);
        expect(page.nextCursor === undefined).toBe(seen.length === all.length);
      }
      expect(seen).toEqual(all);
    }
  });

  it("goes on after its last thing when more follows", () => {
    const date = fc.date({ min: new Date(0), max: new Date("2200-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(date, fc.uuid(), (createdAt, id) => {
        const page = pageOf([{ createdAt, id }, ...things(1)], 1);
        expect(page.things).toEqual([{ createdAt, id }]);
        expect(parsePage({ cursor: page.nextCursor! }).after).toEqual({ createdAt, id });
      }),
    );
  });
});

describe("a cursor", () => {
  const id = createId();
  it.each([
    ["no base64", "%%%"],
    ["nothing in it", btoa(" ")],
    ["no id", btoa("1750000000000")],
    ["an id that is none", btoa("1750000000000 not-an-id")],
    ["an id of hyphens only", btoa(`1750000000000 ${"-".repeat(36)}`)],
    ["an id of digits only", btoa(`1750000000000 ${"a".repeat(36)}`)],
    ["a time that is no number", btoa(`yesterday ${id}`)],
    ["a time without end", btoa(`Infinity ${id}`)],
    ["a time that no calendar has", btoa(`1e300 ${id}`)],
    ["a time before every database", btoa(`-8640000000000000 ${id}`)],
    ["more behind the id", btoa(`1750000000000 ${id} x`)],
    ["SQL", btoa(`1750000000000 ' or 1=1 --`)],
    ["a megabyte", btoa("x".repeat(2 ** 20))],
  ])("with %s is refused", (_what, cursor) => {
    expect(() => parsePage({ cursor })).toThrow(refused);
  });

  it("of anybody's making never makes another error", () => {
    fc.assert(
      fc.property(fc.string(), (cursor) => {
        for (const sent of [cursor, btoa(encodeURIComponent(cursor))]) {
          try {
            parsePage({ cursor: sent });
          } catch (error) {
            expect(error).toEqual(refused);
          }
        }
      }),
    );
  });
});

describe("a page of a list by name", () => {
  const named = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 8 })
    .filter((name) => /^[^/\\\p{Cc}]+$/u.test(name));

  it("has the sizes that other pages have", () => {
    for (const size of [undefined, 0, 1, maxPageSize, maxPageSize + 1]) {
      const input = size === undefined ? {} : { size };
      expect(parsePageByName(input)).toEqual(parsePage(input));
    }
    for (const size of [-1, 0.5, Number.NaN]) expect(() => parsePageByName({ size })).toThrow(refused);
  });

  it("goes on after its last name when more follows, and else ends", () => {
    fc.assert(
      fc.property(
        named.filter((name) => name !== "." && name !== ".."),
        (name) => {
          const page = pageByName([{ name }, { name: "z" }], 1);
          expect(page.things).toEqual([{ name }]);
          expect(parsePageByName({ cursor: page.nextCursor! }).afterName).toBe(name);
          expect(pageByName([{ name }], 1).nextCursor).toBeUndefined();
        },
      ),
    );
  });

  it.each([
    ["no base64", "%%%"],
    ["a bare name", btoa("a")],
    ["no name", btoa("name ")],
    ["a name that is none", btoa("name a/b")],
    ["a name that is escaped in another way", btoa("name %61")],
    ["an escape that is none", btoa("name %zz")],
    ["padding that is missing", btoa("name ab").replace(/=+$/, "")],
    ["another list's cursor", btoa(`1750000000000 ${createId()}`)],
    ["a megabyte", btoa(`name ${"x".repeat(2 ** 20)}`)],
  ])("refuses a cursor with %s", (_what, cursor) => {
    expect(() => parsePageByName({ cursor })).toThrow(refused);
  });
});
