import { describe, expect, it } from "vitest";
import { parseCql } from "../../../../src/rest/folio/cql/parser.js";
import type { CqlNode } from "../../../../src/rest/folio/cql/query.js";

/** With all its parentheses, and every text in brackets. */
function show(node: CqlNode): string {
  if ("operator" in node) return `(${show(node.left)} ${node.operator} ${show(node.right)})`;
  const term = node.term.map((piece) => (typeof piece === "string" ? `[${piece}]` : piece.any === "text" ? "*" : "?"));
  return `${node.index} ${node.relation} ${term.join("") || "nothing"}`;
}

const read = (query: string) => show(parseCql(query).where);

describe("a query", () => {
  it.each([
    // What the API's clients send.
    [
      '(status==("NEW" OR "IN_PROGRESS" OR "LOADED")) sortBy createdDate/sort.descending',
      "((status == [NEW] or status == [IN_PROGRESS]) or status == [LOADED])",
    ],
    ["id==71a43ec9-d923-4c44-8405-979af23b7cc9", "id == [71a43ec9-d923-4c44-8405-979af23b7cc9]"],
    ["status == NEW", "status == [NEW]"],
    ["cql.allRecords=1", "cql.allRecords = [1]"],
    ['extension==".mrc"', "extension == [.mrc]"],
    ["importBlocked=false", "importBlocked = [false]"],
    // Clauses.
    ["a=b", "a = [b]"],
    ["a<>b", "a <> [b]"],
    ["a <= b", "a <= [b]"],
    ["a >= b", "a >= [b]"],
    ["a<b", "a < [b]"],
    ["a>b", "a > [b]"],
    ["a any b", "a any [b]"],
    ["a ALL b", "a all [b]"],
    ['a adj "b c"', "a = [b c]"],
    ["metadata.createdByUserId == x", "metadata.createdByUserId == [x]"],
    ['"a b"==c', "a b == [c]"],
    ["fish", "cql.serverChoice = [fish]"],
    ["harry  potter", "cql.serverChoice = [harry][ ][potter]"],
    ["title = harry\tpotter and a=b", "(title = [harry][ ][potter] and a = [b])"],
    ['a==""', "a == nothing"],
    ["a = any", "a = [any]"],
    ["a==2019-03-21T15:36:49.583+0000", "a == [2019-03-21T15:36:49.583+0000]"],
    // Modifiers are passed over.
    ["a =/string b", "a = [b]"],
    ['a ==/ignoreCase/@type="x y" b', "a == [b]"],
    ["a=b and/rel.sum/x<3 c=d", "(a = [b] and c = [d])"],
    // Quotation marks, backslashes and wildcards.
    ['a=="b\\"c"', 'a == [b"c]'],
    ['a=="b\\\\"', "a == [b\\]"],
    ['a=="and (b) or/c=d"', "a == [and (b) or/c=d]"],
    ['a=="x*y?"', "a == [x]*[y]?"],
    ['a=="x\\*y\\?"', "a == [x*y?]"],
    ["a==x\\*\\ y*", "a == [x* y]*"],
    ["a=='b'", "a == ['b']"],
    ["a==^b^", "a == [^b^]"],
  ])("%s is read as %s", (query, tree) => expect(read(query)).toBe(tree));

  it.each([
    ["a=1 or b=2 and c=3", "((a = [1] or b = [2]) and c = [3])"],
    ["a=1 and b=2 or c=3", "((a = [1] and b = [2]) or c = [3])"],
    ["a=1 not b=2 or c=3", "((a = [1] not b = [2]) or c = [3])"],
    ["a=1 AND (b=2 Or c=3) NOT d=4", "((a = [1] and (b = [2] or c = [3])) not d = [4])"],
  ])("takes and, or and not from left to right: %s", (query, tree) => expect(read(query)).toBe(tree));

  it.each([
    ["a==(b or c)", "(a == [b] or a == [c])"],
    ["a<>(b and (c not d))", "(a <> [b] and (a <> [c] not a <> [d]))"],
    ["a==(b or c) and d", "((a == [b] or a == [c]) and cql.serverChoice = [d])"],
    ["a==(b or e>f or c)", "((a == [b] or e > [f]) or a == [c])"],
    ["a==(b or e>(f and g) or c)", "((a == [b] or (e > [f] and e > [g])) or a == [c])"],
    ['a ==/string ("b")', "a == [b]"],
  ])("hands index and relation into a parenthesis: %s", (query, tree) => expect(read(query)).toBe(tree));

  it.each([
    ["a=1 sortBy b", [{ index: "b", descending: false }]],
    ["a=1 sortBy b/sort.descending/sort.ascending", [{ index: "b", descending: false }]],
    ["a=1 SORTBY b/sort.descending", [{ index: "b", descending: true }]],
    [
      "a=1 sortby b.c/sort.ascending d/ignoreCase/Sort.Descending e",
      [
        { index: "b.c", descending: false },
        { index: "d", descending: true },
        { index: "e", descending: false },
      ],
    ],
  ])("says what to sort by: %s", (query, keys) => expect(parseCql(query).sortBy).toEqual(keys));
});

describe("what is no query is refused in a sentence, with the part that is wrong:", () => {
  const keyword = "(a keyword that is meant as a text stands in quotation marks)";
  it.each([
    ["", "expected a search clause, but the query ends", ""],
    [" \t\r\n", "expected a search clause, but the query ends", ""],
    ["a==", "expected a term after the relation ==, but the query ends", ""],
    ["a== and b==c", `expected a term after the relation ==, found and ${keyword}`, "and"],
    ["==b", "expected a search clause, found ==", "=="],
    ["a==b==c", "expected and, or, not, sortBy or the end of the query, found ==", "=="],
    ["a === b", "expected a term after the relation ==, found =", "="],
    ["a=b and", "expected a search clause, but the query ends", ""],
    ["not a=b", `expected a search clause, found not ${keyword}`, "not"],
    ["sortBy a", `expected a search clause, found sortby ${keyword}`, "sortby"],
    ["a=b sortBy", "expected a sort key, but the query ends", ""],
    ["a=b sortBy c and d", `expected a sort key, found and ${keyword}`, "and"],
    ["a=b)", "expected and, or, not, sortBy or the end of the query, found )", ")"],
    ["(a=b", "expected and, or, not or a closing parenthesis, but the query ends", ""],
    ["(a=b sortBy c)", `expected and, or, not or a closing parenthesis, found sortby ${keyword}`, "sortby"],
    ["()", "expected a search clause, found )", ")"],
    ['a=b "c"', 'expected and, or, not, sortBy or the end of the query, found "c"', '"c"'],
    ['a="b" c', "expected and, or, not, sortBy or the end of the query, found c", "c"],
    ["a/b=c", "expected and, or, not, sortBy or the end of the query, found /", "/"],
    ["a=/ b", "expected a term after the relation =, but the query ends", ""],
    ["a=/string= b", "expected a term after the relation =, but the query ends", ""],
    ["a=b prox c=d", "the operator prox is not supported", "prox"],
    ["a exact b", "the relation exact is not supported", "exact"],
    ["a Within b", "the relation within is not supported", "Within"],
    ['> dc = "x" a=b', "expected a search clause, found >", ">"],
    ['""==b', "the name of an index is empty", '""'],
    ['a=="b', "a quoted text has no closing quotation mark", '"b'],
    ['a=="b\\"', "a quoted text has no closing quotation mark", '"b\\"'],
    ["a==b\\", "a backslash has nothing after it", "\\"],
    ['a=="\\', "a backslash has nothing after it", "\\"],
    ['a==b"c"', "a quotation mark inside a word needs a backslash before it", 'b"'],
  ])("%j", (query, message, near) => {
    expect(() => parseCql(query)).toThrow(expect.objectContaining({ name: "CqlError", message, near }));
  });

  it("a long wrong part is told by its first 80 characters", () => {
    const wrong = `"${"x".repeat(500)}`;
    expect(() => parseCql(`a==${wrong}`)).toThrow(expect.objectContaining({ near: wrong.slice(0, 80) }));
  });
});

describe("a query has at most (P10)", () => {
  const join = (count: number) => Array.from({ length: count }, () => "a").join(" or ");
  const nest = (levels: number) => `${"(".repeat(levels)}a${")".repeat(levels)}`;
  const refusal = (message: string) => expect.objectContaining({ name: "CqlError", message });

  it("8,192 characters", () => {
    expect(read(`a==${"x".repeat(8189)}`)).toBe(`a == [${"x".repeat(8189)}]`);
    expect(() => parseCql(`a==${"x".repeat(8190)}`)).toThrow(
      refusal("the query has 8193 characters, at most 8192 are allowed"),
    );
  });

  it("32 levels of parentheses, wherever they stand", () => {
    expect(read(nest(32))).toBe("cql.serverChoice = [a]");
    expect(read(`a=${nest(32)} and ${nest(32)}`)).toBe("(a = [a] and cql.serverChoice = [a])");
    const tooDeep = refusal("parentheses are deeper than 32 levels");
    expect(() => parseCql(nest(33))).toThrow(tooDeep);
    expect(() => parseCql(`a=(b=${nest(32)})`)).toThrow(tooDeep);
    expect(() => parseCql("(".repeat(8192))).toThrow(tooDeep);
  });

  it("200 conditions and 200 sort keys", () => {
    expect(read(join(200))).toContain("a");
    expect(() => parseCql(join(201))).toThrow(refusal("the query has more than 200 conditions"));
    expect(parseCql(`a sortBy ${"b ".repeat(200)}`).sortBy).toHaveLength(200);
    expect(() => parseCql(`a sortBy ${"b ".repeat(201)}`)).toThrow(refusal("the query has more than 200 sort keys"));
  });
});
