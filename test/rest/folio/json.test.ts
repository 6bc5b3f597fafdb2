import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Printable, prettyJson, prettyList } from "../../../src/rest/folio/json.js";

const definition = {
  id: "71a43ec9-d923-4c44-8405-979af23b7cc9",
  status: "NEW",
  fileDefinitions: [{ name: "marc.mrc", size: 5 }, { name: "marc2.mrc" }],
  metadata: { createdDate: "2019-03-21T15:36:49.582+0000" },
};

const layout = `{
  "id" : "71a43ec9-d923-4c44-8405-979af23b7cc9",
  "status" : "NEW",
  "fileDefinitions" : [ {
    "name" : "marc.mrc",
    "size" : 5
  }, {
    "name" : "marc2.mrc"
  } ],
  "metadata" : {
    "createdDate" : "2019-03-21T15:36:49.582+0000"
  }
}`;

async function* walk(things: readonly Printable[]) {
  yield* things;
}

async function collect(pieces: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}

const list = (things: readonly Printable[], total = things.length) =>
  collect(prettyList("uploadDefinitions", walk(things), async () => total));

describe("pretty JSON", () => {
  it("has the layout of the API's document", () => {
    expect(prettyJson(definition)).toBe(layout);
  });

  it("writes dates as the document does, or as newer servers do", async () => {
    const at = new Date(Date.UTC(2019, 2, 21, 15, 36, 49, 583));
    expect(prettyJson({ at })).toBe('{\n  "at" : "2019-03-21T15:36:49.583+0000"\n}');
    expect(prettyJson([at], "+00:00")).toBe('[ "2019-03-21T15:36:49.583+00:00" ]');
    const listed = await collect(prettyList("things", walk([at]), () => 1, "+00:00"));
    expect(listed.join("")).toContain('[ "2019-03-21T15:36:49.583+00:00" ]');
  });

  it.each([
    [[], "[ ]"],
    [{}, "{ }"],
    [{ a: undefined }, "{ }"],
    [{ a: undefined, b: null, c: [] }, '{\n  "b" : null,\n  "c" : [ ]\n}'],
    [["MARC", "EDIFACT"], '[ "MARC", "EDIFACT" ]'],
    [[[1], [""]], '[ [ 1 ], [ "" ] ]'],
    [[""], '[ "" ]'],
    ['a"\\\n', '"a\\"\\\\\\n"'],
    [true, "true"],
  ])("of %j is %s", (value, text) => {
    expect(prettyJson(value)).toBe(text);
  });

  it("of any value is read back as that value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(prettyJson(value as Printable))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe("a streamed list", () => {
  it("is the text of the whole, whatever is in it", async () => {
    const things = fc.array(fc.jsonValue(), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(things, fc.nat(), async (values, totalRecords) => {
        const uploadDefinitions = values as Printable[];
        const pieces = await list(uploadDefinitions, totalRecords);
        expect(pieces.join("")).toBe(prettyJson({ uploadDefinitions, totalRecords }));
      }),
    );
  });

  it("comes in pieces that are a few KiB long however many things there are", async () => {
    const uploadDefinitions = Array.from({ length: 5_000 }, () => definition);
    const pieces = await list(uploadDefinitions);
    expect(pieces.join("")).toBe(prettyJson({ uploadDefinitions, totalRecords: 5_000 }));
    expect(pieces.length).toBeGreaterThan(100);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(10_000);
  });

  it("asks for the total when everything else has been written, and tells what keeps it from being known", async () => {
    let written = 0;
    async function* things() {
      for (; written < 3; written++) yield { a: 1 };
    }
    const pieces = await collect(prettyList("a", things(), () => written));
    expect(pieces.at(-1)).toContain('"totalRecords" : 3');
    const lost = new Error("lost");
    await expect(collect(prettyList("a", walk([]), () => Promise.reject(lost)))).rejects.toBe(lost);
  });
});
