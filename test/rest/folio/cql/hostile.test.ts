// Queries that are meant to do harm, or meant nothing at all: an error for their author, or a tree that does none.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assertPredicate } from "../../../../src/core/index.js";
import { compileDefinitionQuery } from "../../../../src/rest/folio/cql/definition-query.js";
import { createJsonFilter } from "../../../../src/rest/folio/cql/json-filter.js";
import { parseCql } from "../../../../src/rest/folio/cql/parser.js";
import { CqlError } from "../../../../src/rest/folio/cql/query.js";

const thing = {
  id: "71a43ec9-d923-4c44-8405-979af23b7cc9",
  status: "NEW",
  extension: ".mrc",
  importBlocked: false,
  dataTypes: ["MARC", ["x"], {}],
  metadata: { createdDate: "2019-03-21T15:36:49.583+0000", updatedDate: null },
};

/** What becomes of it, in all that is made of a query. Anything but a refusal for its author comes out. */
function useUp(text: string): "read" | "refused" {
  try {
    const query = parseCql(text);
    const filter = createJsonFilter(query);
    expect([true, false]).toContain(filter.matches(thing));
    expect(filter.sort([thing, {}, null, 1])).toHaveLength(4);
    const { where } = compileDefinitionQuery(query);
    assertPredicate({ all: [{ all: [where] }] });
    return "read";
  } catch (error) {
    if (!(error instanceof CqlError)) throw error;
    expect(error.message).toMatch(/^[a-z].{5,200}$/s);
    expect(error.near.length).toBeLessThanOrEqual(80);
    expect(error.near.isWellFormed()).toBe(true);
    expect(error.message.isWellFormed()).toBe(true);
    return "refused";
  }
}

const longest = 8192;

describe("hostile CQL does no harm:", () => {
  it.each([
    ["SQL in a term", `id=="' or true; drop table sessions; --"`, "read"],
    ["SQL in an index", `"x' or true --"=="1"`, "read"],
    ["a pattern of SQL", 'metaJobExecutionId=="%_%\\\\"', "read"],
    ["a regular expression", 'metaJobExecutionId=="^(a+)+$"', "read"],
    ["a NUL", 'id=="\0" or metadata.createdByUserId=="\0*"', "read"],
    ["half a character", 'id=="\ud800" or metadata.createdByUserId==\udc00*', "read"],
    ["half a character in the wrong place", "a==b\ud800\udc00\ud800)", "refused"],
    ["half a character before a quotation mark", 'a==\ud800"', "refused"],
    ["a backslash before half a character", 'a=="\\\ud83d\udc18"', "read"],
    ["an astral name", "🐘==🐘 sortBy 🐘/🐘", "read"],
    ["a wrong part that is cut in the middle of a character", `a=="${"x".repeat(78)}🐘`, "refused"],
    ["names that every object has", "constructor.prototype.__proto__=* sortBy hasOwnProperty toString", "read"],
    ["parentheses without end", "(".repeat(longest), "refused"],
    ["parentheses that close without end", `a${")".repeat(longest - 1)}`, "refused"],
    ["relations without end", "a=".repeat(longest / 2), "refused"],
    ["modifiers without end", `a=${"/b".repeat(4000)} c`, "read"],
    ["quotation marks without end", '"'.repeat(longest), "refused"],
    ["backslashes without end", "\\".repeat(longest), "read"],
    ["words without end", "a ".repeat(longest / 2), "read"],
    ["a name of nothing but dots", `${".".repeat(8000)}==a`, "read"],
    ["accents without end", `extension=="${"\u0301".repeat(8000)}"`, "read"],
    ["digits without end", `extension==${"1".repeat(8000)}x`, "read"],
    ["an id with a wildcard without end", `id=="${"?🐘".repeat(2000)}"`, "refused"],
    ["a time with wildcards without end", `createdDate=="${"*\ud800".repeat(4000)}"`, "refused"],
    ["a time without end", `createdDate==2019-03-21T15:36:49.${"1".repeat(8000)}`, "read"],
  ])("%s", (_what, text, expected) => expect(useUp(text)).toBe(expected));

  it.each(["extension==", "extension=", "extension any ", "extension all "])(
    "thousands of wildcards are looked for one after the other, never all ways at once: %s",
    (clause) => {
      const wild = createJsonFilter(parseCql(`${clause}"${"*a".repeat(4000)}b"`));
      const calm = createJsonFilter(parseCql(`${clause}"${"?*".repeat(100)}"`));
      const value = { extension: "a".repeat(10_000) };
      expect(wild.matches(value)).toBe(false);
      expect(calm.matches(value)).toBe(true);
    },
  );

  const scraps = [
    ..."()/<>=\"\\*?^ \t.'%_;\0\ud800🐘éa1",
    " and ",
    " or ",
    " not ",
    " prox ",
    " sortBy ",
    "/sort.descending",
    "==",
    "<>",
    "<=",
    " any ",
    " exact ",
    "id",
    "status",
    "createdDate",
    "metadata.updatedDate",
    "metadata.createdByUserId",
    "cql.allRecords=1",
    "extension",
    "NEW",
    "2019-03-21",
    '"a b"',
    "id==a",
    "(status==NEW)",
  ];

  it("any text is read or refused", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => void useUp(text)));
    fc.assert(fc.property(fc.array(fc.nat(0xffff)), (units) => void useUp(String.fromCharCode(...units))));
  });

  it("any scraps of the language are read or refused", () => {
    const outcomes = { read: 0, refused: 0 };
    const text = fc.array(fc.constantFrom(...scraps), { maxLength: 30 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (query) => void outcomes[useUp(query)]++),
      { numRuns: 3000 },
    );
    expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(100);
  });
});
