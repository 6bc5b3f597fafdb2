import { describe, expect, it } from "vitest";
import { createJsonFilter } from "../../../../src/rest/folio/cql/json-filter.js";
import { parseCql } from "../../../../src/rest/folio/cql/parser.js";

const things = [
  { name: "marc", extension: ".mrc", importBlocked: false, dataTypes: ["MARC"], size: 9 },
  { name: "edi", extension: ".edi", importBlocked: false, dataTypes: ["EDIFACT", "Delimited"], size: 10 },
  { name: "cat", extension: ".CAT", importBlocked: true, dataTypes: [], metadata: { createdDate: "2019-03-21" } },
  { name: "old", extension: "Café au lait", dataTypes: null, size: "10", parts: [{ n: "a" }, { n: "b" }] },
];

const find = (query: string) => {
  const filter = createJsonFilter(parseCql(query));
  return things.filter((thing) => filter.matches(thing)).map(({ name }) => name);
};

describe("of things at hand a query finds", () => {
  it.each([
    // Whole values, whatever their case and accents.
    ['extension==".mrc"', ["marc"]],
    ['extension==".cat"', ["cat"]],
    ['extension==".m"', []],
    ['extension=="cafe AU lait"', ["old"]],
    ['extension=="cafe\u0301 au lait"', ["old"]],
    ['extension==".*"', ["marc", "edi", "cat"]],
    ["name==mar*arc", []],
    ["name==m*r*c", ["marc"]],
    ['extension=="*A*t"', ["cat", "old"]],
    ['extension==".?d?"', ["edi"]],
    ['extension=="\\*"', []],
    ['extension==""', []],
    ["extension==*", ["marc", "edi", "cat", "old"]],
    // Words.
    ['extension="MRC"', ["marc"]],
    ['extension=".mrc"', ["marc"]],
    ['extension="au lait"', ["old"]],
    ['extension="lait au"', []],
    ['extension="cafe lait"', []],
    ['extension="ca*"', ["cat", "old"]],
    ['extension="caf"', []],
    ['extension=" - "', []],
    ['extension any "mrc lait x"', ["marc", "old"]],
    ['extension all "lait cafe"', ["old"]],
    ['extension all "lait x"', []],
    ['extension adj "cafe au"', ["old"]],
    // Order.
    ['extension<".d"', ["cat"]],
    ['extension>=".EDI"', ["marc", "edi", "old"]],
    ["name<=edi", ["edi", "cat"]],
    ["name>marc", ["old"]],
    // True, false and numbers.
    ["importBlocked=false", ["marc", "edi"]],
    ["importBlocked == true", ["cat"]],
    ["importBlocked <> true", ["marc", "edi"]],
    ["size==9.0", ["marc"]],
    ["size=1e1", ["edi"]],
    ["size==10", ["edi", "old"]],
    ["size<10", ["marc"]],
    ["size>9", ["edi"]],
    ["size<>9", ["edi", "old"]],
    ["size==1*", ["edi", "old"]],
    // Lists, and what lies deeper.
    ["dataTypes==MARC", ["marc"]],
    ["dataTypes==delimited", ["edi"]],
    ["dataTypes<>MARC", ["edi", "cat"]],
    ["dataTypes==[]", ["cat"]],
    ["parts.n==b", ["old"]],
    ["parts.n<>b", []],
    ['metadata.createdDate>="2019-03-21"', ["cat"]],
    // What is not there matches nothing, and the negation of nothing is everything.
    ["importBlocked=*", ["marc", "edi", "cat"]],
    ['importBlocked=""', ["marc", "edi", "cat"]],
    ['cql.allRecords=1 not importBlocked=""', ["old"]],
    ["dataTypes<>x", ["marc", "edi", "cat"]],
    ["nowhere==x", []],
    ["nowhere<>x", []],
    ["nowhere=*", []],
    ["cql.allRecords=1 not nowhere==x", ["marc", "edi", "cat", "old"]],
    ["metadata==x", []],
    ["metadata.createdDate.x==x", []],
    ["__proto__=*", []],
    ["constructor.name=*", []],
    ["dataTypes.length==1", []],
    ["name.length==3", []],
    // All together.
    ["CQL.ALLRECORDS=1", ["marc", "edi", "cat", "old"]],
    ["marc", []],
    ["name==(marc or edi or cat) and importBlocked==false not dataTypes==MARC", ["edi"]],
    ["name==marc or name==edi and size==10", ["edi"]],
  ])("%s: %j", (query, names) => expect(find(query)).toEqual(names));
});

it.each([
  ["Straße", "STRASSE", true],
  ["ΟΔΟΣ", "οδοσ", true],
  ["ΟΔΟΣΑ", "ΟΔΟΣ*", true],
  ["Åse", "ase", true],
  ["कि", "का", false],
  ["🐘a", "?A", true],
])("%j is found by the text %j: %s", (value, text, isFound) => {
  expect(createJsonFilter(parseCql(`a=="${text}"`)).matches({ a: value })).toBe(isFound);
});

it("what a thing has not itself is not there", () => {
  const { matches } = createJsonFilter(parseCql("a=*"));
  expect([{ a: 1 }, Object.create({ a: 1 }), null, 1, "a", undefined].map(matches)).toEqual([
    true,
    ...Array(5).fill(false),
  ]);
});

describe("things at hand are sorted", () => {
  const sort = (query: string) =>
    createJsonFilter(parseCql(query))
      .sort(things)
      .map(({ name }) => name);

  it.each([
    ["a sortBy extension", ["cat", "edi", "marc", "old"]],
    ["a sortBy extension/sort.descending", ["old", "marc", "edi", "cat"]],
    ["a sortBy importBlocked name/sort.descending", ["marc", "edi", "cat", "old"]],
    ["a sortBy importBlocked/sort.ascending name", ["edi", "marc", "cat", "old"]],
    ["a sortBy size name", ["marc", "edi", "old", "cat"]],
    ["a sortBy metadata.createdDate/sort.descending", ["marc", "edi", "old", "cat"]],
    ["a sortBy nowhere dataTypes", ["cat", "edi", "marc", "old"]],
    ["a sortBy nowhere", ["marc", "edi", "cat", "old"]],
    ["a", ["marc", "edi", "cat", "old"]],
  ])("as the query asks: %s", (query, names) => expect(sort(query)).toEqual(names));

  it("without a change to the list that they are in", () => {
    const list = Object.freeze([{ n: 2 }, { n: 1 }]);
    expect(createJsonFilter(parseCql("a sortBy n")).sort(list)).toEqual([{ n: 1 }, { n: 2 }]);
  });
});
