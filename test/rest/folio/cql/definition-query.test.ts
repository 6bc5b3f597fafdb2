import { describe, expect, it } from "vitest";
import { assertPredicate } from "../../../../src/core/index.js";
import { compileDefinitionQuery } from "../../../../src/rest/folio/cql/definition-query.js";
import { parseCql } from "../../../../src/rest/folio/cql/parser.js";

const id = "71a43ec9-d923-4c44-8405-979af23b7cc9";
const compile = (query: string) => compileDefinitionQuery(parseCql(query));
const where = (query: string) => compile(query).where;

const everything = { all: [] };
const nothing = { any: [] };
const status = (...value: string[]) => ({ attribute: ["status"], is: "in", value });
const ids = (...value: string[]) => ({ field: "id", is: "in", value });
const user = (value: string) => ({ attribute: ["createdByUserId"], is: "matches", value });
const at = (is: string, time: string) => ({ field: "createdAt", is, value: new Date(time) });
const updated = (is: string, time: string) => ({ attribute: ["updatedDate"], is, value: new Date(time) });
const refusal = (message: unknown, near: unknown = "") => expect.objectContaining({ name: "CqlError", message, near });

describe("a status is one of five, so whatever is said of it becomes a list of them:", () => {
  it.each([
    ['(status==("NEW" OR "IN_PROGRESS" OR "LOADED"))', status("NEW", "IN_PROGRESS", "LOADED")],
    ['status==("LOADED" or "new")', status("NEW", "LOADED")],
    ["status==NEW", status("NEW")],
    ["status=progress", status("IN_PROGRESS")],
    ['status any "new loaded x"', status("NEW", "LOADED")],
    ['status all "progress in"', status("IN_PROGRESS")],
    ["status==*ED", status("LOADED", "COMPLETED")],
    ["status==NE?", status("NEW")],
    ["status<>(NEW and LOADED)", status("IN_PROGRESS", "COMPLETED", "ERROR")],
    ["status<LOADED", status("IN_PROGRESS", "COMPLETED", "ERROR")],
    ["status>=LOADED not status==NEW", status("LOADED")],
    ["cql.allRecords=1 not status==(COMPLETED or ERROR)", status("NEW", "IN_PROGRESS", "LOADED")],
    ["status==NEW and status==LOADED", nothing],
    ["status==x", nothing],
    ['status==""', nothing],
    ['status=""', everything],
    ["status<>x", everything],
    ["status==NEW or status<>NEW", everything],
  ])("%s", (query, expected) => expect(where(query)).toEqual(expected));
});

describe("an id is found as it is, whatever its case,", () => {
  it.each([
    [`id==${id}`, ids(id)],
    [`id=${id.toUpperCase()}`, ids(id)],
    [`id==(${id} or x or ${id})`, ids(id, "x")],
    [`id<>${id}`, { not: ids(id) }],
    ["id==71a4*", { field: "id", is: "matches", value: "71a4*" }],
    ['id any "a b"', ids("a", "b")],
    ['id all "a b"', { all: [ids("a"), ids("b")] }],
    ["id<B", { field: "id", is: "lt", value: "b" }],
    ["id>=b", { field: "id", is: "ge", value: "b" }],
    ["id=*", everything],
    ["id==\\*", nothing],
    [`metaJobExecutionId==${id}`, { attribute: ["metaJobExecutionId"], is: "matches", value: id }],
    [`metadata.createdByUserId==${id}`, user(id)],
    ["metadata.updatedByUserId=*", { attribute: ["updatedByUserId"], is: "matches", value: "*" }],
    [`metadata.createdByUserId<>${id}`, { all: [user("*"), { not: user(id) }] }],
    ["metadata.createdByUserId<=b", { attribute: ["createdByUserId"], is: "le", value: "b" }],
  ])("%s", (query, expected) => expect(where(query)).toEqual(expected));

  it("and not by the wildcard for one character, which no predicate has", () => {
    expect(() => where("id==71a?")).toThrow(refusal("the wildcard ? is not supported for an id, * is", "71a?"));
    expect(() => where('metadata.createdByUserId all "x y?"')).toThrow(refusal(expect.any(String), "y?"));
  });
});

describe("a time is", () => {
  const noon = "2019-03-21T12:00:00.000Z";
  it.each([
    "2019-03-21T12:00:00.000Z",
    "2019-03-21T12:00:00.000+0000",
    "2019-03-21T12:00:00.000+00:00",
    "2019-03-21T12:00:00.000-00",
    '"2019-03-21T12:00:00.000 0000"',
    "2019-03-21T12:00:00.000",
    '"2019-03-21 12:00:00,0009"',
    "2019-03-21T13:30:00.000+01:30",
    "2019-03-21T07:00:00.000-0500",
    "2019-03-21t12:00:00.000z",
  ])("read in every form that clients send: %s", (text) => {
    expect(where(`createdDate==${text}`)).toEqual(at("eq", noon));
    expect(where(`metadata.createdDate = ${text}`)).toEqual(at("eq", noon));
    expect(where(`metadata.updatedDate<${text}`)).toEqual(updated("lt", noon));
  });

  it.each([
    ["2019", "2019-01-01T00:00:00.000Z", "2019-12-31T23:59:59.999Z"],
    ["2020-02*", "2020-02-01T00:00:00.000Z", "2020-02-29T23:59:59.999Z"],
    ["2019-03-21", "2019-03-21T00:00:00.000Z", "2019-03-21T23:59:59.999Z"],
    ["2019-03-21*", "2019-03-21T00:00:00.000Z", "2019-03-21T23:59:59.999Z"],
    ["2019-03-21T15", "2019-03-21T15:00:00.000Z", "2019-03-21T15:59:59.999Z"],
    ["2019-03-21T15:36", "2019-03-21T15:36:00.000Z", "2019-03-21T15:36:59.999Z"],
    ["2019-03-21T15:36:49-0100", "2019-03-21T16:36:49.000Z", "2019-03-21T16:36:49.999Z"],
    ["2019-03-21T15:36:49.5*", "2019-03-21T15:36:49.500Z", "2019-03-21T15:36:49.599Z"],
  ])("all of what is named of it: %s", (text, first, last) => {
    expect(where(`createdDate==${text}`)).toEqual({ all: [at("ge", first), at("le", last)] });
    expect(where(`createdDate<>${text}`)).toEqual({ any: [at("lt", first), at("gt", last)] });
  });

  it.each([
    ["<", "lt"],
    ["<=", "le"],
    [">", "gt"],
    [">=", "ge"],
  ])("%s another by the first millisecond of that", (relation, is) => {
    expect(where(`createdDate ${relation} 2019-03-21`)).toEqual(at(is, "2019-03-21T00:00:00.000Z"));
  });

  it.each([
    ["createdDate<9999-12-31", at("lt", "9999-12-31T00:00:00.000Z")],
    ["createdDate==9999-12-31T23:59:59.999-0500", at("eq", "9999-12-31T23:59:59.999Z")],
    ["createdDate>0000-01-01", at("gt", "0001-01-01T00:00:00.000Z")],
  ])("kept to what the database holds: %s", (query, expected) => expect(where(query)).toEqual(expected));

  it.each(["banana", "2019-02-30", "2019-13-01", "2019-03-21T24:00", "2019-03-21T12:00+2400", "20190321", "12:00"])(
    "not %s, which equals no time, and every time that is there differs from it",
    (text) => {
      expect(where(`createdDate==${text}`)).toEqual(nothing);
      expect(where(`createdDate<${text}`)).toEqual(nothing);
      expect(where(`createdDate<>${text}`)).toEqual(everything);
      expect(where(`metadata.updatedDate<>${text}`)).toEqual({ attribute: ["updatedDate"], is: "matches", value: "*" });
    },
  );

  it.each(["2019-03-2*", "20*19", "*-03-21", "2019-03-21T1?:00", "x*"])("not told by a wildcard in it: %s", (text) => {
    const message = "a time takes one wildcard, a * after its year, month, day, hour, minute or second";
    expect(() => where(`createdDate==${text}`)).toThrow(refusal(message, expect.any(String)));
  });

  it("there or not, as `=*` asks", () => {
    expect(where("createdDate=*")).toEqual(everything);
    expect(where('metadata.updatedDate=""')).toEqual({ attribute: ["updatedDate"], is: "matches", value: "*" });
  });

  it("shown as createDate in an attribute of its own", () => {
    expect(where(`createDate>${noon}`)).toEqual({ attribute: ["createDate"], is: "gt", value: new Date(noon) });
  });
});

describe("a field that a definition does not have", () => {
  it.each([
    "nowhere==x",
    "nowhere<>x",
    "nowhere=*",
    "fish",
    "metadata=x",
    "__proto__=*",
    "constructor=x",
    "STATUS==NEW",
  ])("matches nothing: %s", (query) => {
    expect(where(query)).toEqual(nothing);
    expect(where(`cql.allRecords=1 not ${query}`)).toEqual(everything);
    expect(where(`id==a or ${query}`)).toEqual(ids("a"));
  });
});

describe("and, or and not become", () => {
  it.each([
    ["cql.allRecords=1", everything],
    [
      "id==a and createdDate>2019 and status==NEW",
      { all: [status("NEW"), ids("a"), at("gt", "2019-01-01T00:00:00Z")] },
    ],
    ["id==a or status==NEW or id==b or status==LOADED", { any: [status("NEW", "LOADED"), ids("a", "b")] }],
    [
      "status==NEW or id==a and id=c*",
      { all: [{ any: [status("NEW"), ids("a")] }, { field: "id", is: "matches", value: "c*" }] },
    ],
    ["status==NEW not (id==a or id==b)", { all: [status("NEW"), { not: ids("a", "b") }] }],
    ["id==a and nowhere==x", nothing],
    ["status==NEW and id==a and status==LOADED", nothing],
    ["id==a or createdDate>2019 or cql.allRecords=1", everything],
    ["id==a or status==NEW or status<>NEW", everything],
    ["cql.allRecords=1 not (cql.allRecords=1 not id==a)", ids("a")],
  ])("the smallest tree that says the same: %s", (query, expected) => expect(where(query)).toEqual(expected));
});

describe("a list of definitions is in the order of creation,", () => {
  it.each([
    ["a", "newest"],
    ["a sortBy createdDate/sort.descending", "newest"],
    ["a sortBy createdDate", "oldest"],
    ["a sortBy metadata.createdDate/sort.ascending", "oldest"],
    ["a sortBy status createDate id", "oldest"],
    ["a sortBy createDate/sort.descending createdDate", "newest"],
    ["a sortBy status name/sort.ascending", "newest"],
  ])("newest first unless it is asked for otherwise: %s", (query, order) => expect(compile(query).order).toBe(order));
});

describe("what a query comes to fits into the core's filter, beside other conditions (P10):", () => {
  const join = (count: number, clause: (n: number) => string, word = "or") =>
    Array.from({ length: count }, (_, n) => clause(n)).join(` ${word} `);
  const beside = (query: string) => {
    const other = where("metadata.createdByUserId<>x");
    assertPredicate({ all: [{ all: [other, { any: [where(query), other] }] }, other] });
  };

  it("any number of ids and statuses", () => {
    beside(join(200, (n) => `id==${n}`));
    beside(join(200, (n) => `${n % 2 ? "status==" : "id=="}${n}`));
  });

  it("180 other conditions, and no more", () => {
    beside(join(179, (n) => `metaJobExecutionId==${n}`));
    expect(() => beside(join(180, (n) => `metaJobExecutionId==${n}`))).toThrow(
      refusal("the query comes to 181 conditions, at most 180 are allowed"),
    );
  });

  it("28 levels, and no more", () => {
    const alternating = (count: number) =>
      Array.from({ length: count }, (_, n) => `${n === 0 ? "" : n % 2 ? " or " : " and "}id>${n}`).join("");
    beside(alternating(28));
    expect(() => where(alternating(29))).toThrow(
      refusal("and, or and not alternate on 29 levels, at most 28 are allowed"),
    );
  });
});
