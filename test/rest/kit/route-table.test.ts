import { describe, expect, it } from "vitest";
import { createRouteTable, type RouteTable } from "../../../src/rest/kit/route-table.js";
import { rows } from "./made-up-dialect.js";

const table = createRouteTable(rows, { trailingSlash: "optional", queryNames: "any case" });
const ask = (asked: string, from: RouteTable<{ readonly line: string }> = table) => {
  const [, method = "", path = "", query = ""] = /^(\S+) ([^?]*)\??(.*)$/.exec(asked) ?? [];
  const found = from.find({ method, path, query });
  return found.row === undefined ? { allow: found.allow } : { line: found.row.line, params: found.params };
};
const is = (line: string, params = {}) => ({ line, params });
const lost = (...allow: string[]) => ({ allow });
const tableOf = (...lines: string[]) =>
  createRouteTable(
    lines.map((line) => ({ line })),
    { trailingSlash: "significant", queryNames: "exact" },
  );

describe("a request is for the row", () => {
  it.each([
    ["GET /made/things", is("GET /made/things")],
    ["GET /made/things/7", is("GET /made/things/{id}", { id: "7" })],
    ["GET /made/things/special", is("GET /made/things/special")],
    ["DELETE /made/things/special", is("DELETE /made/things/{id}", { id: "special" })],
    ["GET /made/things/7/parts/a.b-c", is("GET /made/things/{id}/parts/{part}", { id: "7", part: "a.b-c" })],
    ["POST /made/verbs/id:7", is("POST /made/verbs/id:{id}", { id: "7" })],
    ["POST /made/verbs/id%3A7", is("POST /made/verbs/id:{id}", { id: "7" })],
  ])("whose path and method it has: %s", (asked, row) => {
    expect(ask(asked)).toEqual(row);
  });

  it.each([
    ["~action=complete", "?~action=complete"],
    ["%7Eaction=complete", "?~action=complete"],
    ["a=b&~action=complete&c", "?~action=complete"],
    ["~action=complete&force=1", "?~action=complete&force=1"],
    ["~action=complete&force=2", "?~action=complete"],
    ["~action=fail", "?~action"],
    ["~action", "?~action"],
    ["~action=fail&~action=complete", "?~action"],
    ["action=complete", ""],
    ["", ""],
  ])("that asks for most of its query: ?%s", (query, chosen) => {
    expect(ask(`POST /made/verbs/id:7?${query}`)).toEqual(is(`POST /made/verbs/id:{id}${chosen}`, { id: "7" }));
  });

  it("for GET where it is HEAD, unless there is another", () => {
    expect(ask("HEAD /made/things")).toEqual(is("GET /made/things"));
    const own = tableOf("GET /a", "HEAD /a");
    expect([ask("HEAD /a", own), ask("PUT /a", own)]).toEqual([is("HEAD /a"), lost("GET", "HEAD", "OPTIONS")]);
  });
});

describe("a parameter", () => {
  it.each([
    ["a%2Fb", "a/b"],
    ["a%2fb%2F", "a/b/"],
    ["a+b", "a+b"],
    ["100%25", "100%"],
    ["%2525", "%25"],
    ["%C3%A9", "\u00e9"],
    ["a:b", "a:b"],
    ["a%3Ab", "a:b"],
    ["%253A", "%3A"],
    ["..", ".."],
    ["%00", "\0"],
    ["{id}", "{id}"],
    ["__proto__", "__proto__"],
    ["x".repeat(4_096), "x".repeat(4_096)],
  ])("is decoded, whatever is in it: %s", (sent, id) => {
    expect(ask(`GET /made/things/${sent}`)).toEqual(is("GET /made/things/{id}", { id }));
  });

  it("that is empty, or longer than 4096, is none", () => {
    expect(ask("GET /made/things//parts/1")).toEqual(lost());
    expect(ask(`GET /made/things/${"x".repeat(4_097)}`)).toEqual(lost());
  });

  it("may have a name of its own in every row of a path", () => {
    const named = tableOf("GET /a/{id}", "PUT /a/{name}", "GET /a/{id}.json");
    expect([ask("GET /a/1", named), ask("PUT /a/1", named), ask("GET /a/1.json", named)]).toEqual([
      is("GET /a/{id}", { id: "1" }),
      is("PUT /a/{name}", { name: "1" }),
      is("GET /a/{id}.json", { id: "1" }),
    ]);
  });
});

describe("no row is found", () => {
  it.each([
    ["GET /made", lost()],
    ["GET /made/Things", lost()],
    ["GET /made/things/1/2", lost()],
    ["GET /made/things/1//", lost()],
    ["PATCH /made/things", lost("GET", "HEAD", "OPTIONS")],
    ["get /made/things", lost("GET", "HEAD", "OPTIONS")],
    ["__proto__ /made/things", lost("GET", "HEAD", "OPTIONS")],
    ["OPTIONS /made/things/1", lost("GET", "DELETE", "HEAD", "OPTIONS")],
    ["GET /made/json", lost("POST", "OPTIONS")],
    ["HEAD /made/json", lost("POST", "OPTIONS")],
    ["PUT /made/asked?only=that", lost()],
    ["POST /made/asked?only=this", lost("PUT", "OPTIONS")],
  ])("for %s, and the methods of the path are told", (asked, answer) => {
    expect(ask(asked)).toEqual(answer);
  });

  it("for a slash at the end, where it counts", () => {
    const strict = tableOf("GET /a", "GET /b/");
    expect(["GET /a/", "GET /b", "GET /b/"].map((asked) => ask(asked, strict))).toEqual([
      lost(),
      lost(),
      is("GET /b/"),
    ]);
    expect(ask("GET /made/things/7/")).toEqual(is("GET /made/things/{id}", { id: "7" }));
  });
});

it.each(["/made/things/%", "/made/things/%2", "/made/things/%zz", "/made/things/%E4", "/nowhere/%C3%28"])(
  "a percent-escape that means nothing is refused with 400: %s",
  (path) => {
    expect(() => ask(`GET ${path}`)).toThrow(
      expect.objectContaining({
        name: "HttpProblem",
        status: 400,
        message: "a percent-escape in the path means nothing",
      }),
    );
  },
);

it.each([["/made/things#x"], ["*"], ["http://host/made/things"], [""]])(
  "what is no path is refused with 400: %s",
  (path) => {
    expect(() => table.find({ method: "GET", path, query: "" })).toThrow(
      expect.objectContaining({ status: 400, message: "this is no path" }),
    );
  },
);

describe("a query", () => {
  const wordOf = (query: string, queryNames: "exact" | "any case" = "any case") => {
    const found = createRouteTable(rows, { trailingSlash: "optional", queryNames }).find({
      method: "GET",
      path: "/made/query",
      query,
    });
    return found.row === undefined ? "lost" : found.query.get("fileName");
  };

  it.each([
    ["fileName=a+b%2Bc", "a b+c"],
    ["x=1&fileName=%C3%A9&fileName=2", "\u00e9"],
    ["fileName==%22.mrc%22", '="'.concat(".mrc", '"')],
    ["fileName", ""],
    ["&&fileName=&", ""],
    ["%66ileName=a", "a"],
    ["other=1", undefined],
  ])("is decoded: %s", (query, word) => {
    expect(wordOf(query)).toBe(word);
  });

  it("has names in any case, or as they are, as the dialect has it", () => {
    expect([wordOf("FILENAME=a"), wordOf("filename=a", "exact"), wordOf("fileName=a", "exact")]).toEqual([
      "a",
      undefined,
      "a",
    ]);
  });

  it.each(["fileName=%", "%zz=1", "x=%E4&fileName=a"])(
    "with an escape that means nothing is refused with 400: %s",
    (query) => {
      expect(() => wordOf(query)).toThrow(
        expect.objectContaining({
          status: 400,
          message: expect.stringMatching(/^a percent-escape in the query means/),
        }),
      );
    },
  );
});

it.each([
  [["GET things"], "GET things is no line of a table"],
  [["GET /a b"], "GET /a b is no line of a table"],
  [["GET /a/*"], "GET /a/* is no line of a table"],
  [["GET /a/{b}{c}"], "GET /a/{b}{c} has a strange {name}"],
  [["GET /a/{b c}"], "GET /a/{b c} is no line of a table"],
  [["GET /a/{b"], "GET /a/{b has a strange {name}"],
  [["GET /a/{b}/{b}"], "GET /a/{b}/{b} has a name twice"],
  [["GET /a/{b}", "GET /a/{c}"], "GET /a/{c} is there twice"],
  [["GET /a?b&c", "GET /a?c&b"], "GET /a?c&b is there twice"],
])("a table that contradicts itself is a slip of our own: %s", (lines, message) => {
  expect(() => tableOf(...lines)).toThrow(new TypeError(message));
});
