import { describe, expect, it } from "vitest";
import {
  type Attributes,
  type Comparison,
  createId,
  type Predicate,
  type PredicateValue,
  type Session,
  type SessionField,
} from "../../../src/core/index.js";
import { type OpenStore, startItem, startSession, useWorld } from "./world.js";

type Value = PredicateValue | readonly PredicateValue[];
type Tree = Predicate<SessionField>;

export function describePredicates(open: OpenStore): void {
  const world = useWorld(open);

  /** The labels of the sessions that the tree finds, sorted. */
  async function found(predicate: Tree): Promise<string[]> {
    const { things } = await world.store.listSessions(world.tenantId, predicate, { limit: 1000 });
    return things.map((session) => session.label).sort();
  }

  /** Sessions named by their attributes' place in the list. */
  async function startWith(attributes: readonly Attributes[]): Promise<void> {
    for (const [n, of] of attributes.entries()) await startSession(world, { label: String(n), attributes: of });
  }

  const onLabel = (is: Comparison, value: Value): Tree => ({ field: "label", is, value });
  const onX = (is: Comparison, value: Value): Tree => ({ attribute: ["x"], is, value });

  describe("on a text field", () => {
    const cases: [Comparison, Value, string[]][] = [
      ["eq", "b", ["b"]],
      ["eq", "B", []],
      ["ne", "b", ["a", "c"]],
      ["lt", "b", ["a"]],
      ["le", "b", ["a", "b"]],
      ["gt", "b", ["c"]],
      ["ge", "b", ["b", "c"]],
      ["in", ["a", "c", "z"], ["a", "c"]],
      ["in", [], []],
      ["same", "B", ["b"]],
      ["same", "*", []],
      ["same", "", []],
      ["matches", "B", ["b"]],
      ["matches", "*", ["a", "b", "c"]],
      ["matches", "", []],
    ];
    it.each(cases)("%s %j finds %j", async (is, value, labels) => {
      for (const label of ["b", "c", "a"]) await startSession(world, { label });
      expect(await found(onLabel(is, value))).toEqual(labels);
    });
  });

  it("every field is compared as what it is", async () => {
    const item = await startItem(world);
    const createdAt = new Date("2026-03-03T03:03:03.003Z");
    const later = new Date(createdAt.getTime() + 1);
    const session = await startSession(world, {
      label: "this",
      itemId: item.id,
      visibility: "tenant",
      origin: "folio",
      state: "completing",
      createdAt,
      modifiedAt: createdAt,
    });
    await startSession(world, {
      label: "other",
      ownerId: world.colleagueId,
      createdAt: later,
      modifiedAt: later,
    });
    const conditions: Tree[] = [
      { field: "id", is: "eq", value: session.id },
      { field: "id", is: "in", value: [createId(), session.id] },
      { field: "state", is: "eq", value: "completing" },
      { field: "state", is: "ne", value: "active" },
      { field: "ownerId", is: "eq", value: world.userId },
      { field: "visibility", is: "in", value: ["tenant"] },
      { field: "origin", is: "matches", value: "FO*" },
      { field: "itemId", is: "eq", value: item.id },
      { field: "itemId", is: "ne", value: null },
      { field: "createdAt", is: "eq", value: createdAt },
      { field: "createdAt", is: "lt", value: later },
      { field: "createdAt", is: "le", value: createdAt },
      { field: "createdAt", is: "in", value: [createdAt] },
      { field: "modifiedAt", is: "ne", value: later },
    ];
    for (const condition of conditions) {
      expect([condition, await found(condition)]).toEqual([condition, ["this"]]);
      expect([condition, await found({ not: condition })]).toEqual([condition, ["other"]]);
    }
  });

  it("a session without a target item differs from every item, and equals null", async () => {
    const item = await startItem(world);
    await startSession(world, { label: "with", itemId: item.id });
    await startSession(world, { label: "without" });
    expect(await found({ field: "itemId", is: "ne", value: item.id })).toEqual(["without"]);
    expect(await found({ field: "itemId", is: "eq", value: null })).toEqual(["without"]);
    expect(await found({ not: { field: "itemId", is: "in", value: [item.id] } })).toEqual(["without"]);
    expect(await found({ field: "itemId", is: "in", value: [null] })).toEqual(["without"]);
    expect(await found({ field: "itemId", is: "in", value: [item.id, null] })).toHaveLength(2);
    expect(await found({ not: { field: "itemId", is: "in", value: [createId(), null] } })).toHaveLength(1);
  });

  it("a time that was answered finds its session again", async () => {
    const { createdAt } = await startSession(world, { label: "now" });
    expect(await found({ field: "createdAt", is: "eq", value: createdAt })).toEqual(["now"]);
    const library = (await world.store.listLibraries(world.tenantId, { all: [] }, { limit: 1 })).things[0];
    expect(library).toBeUndefined();
    const item = await startItem(world);
    const value = item.createdAt;
    const items = await world.store.listItems(world.tenantId, { field: "createdAt", is: "eq", value }, { limit: 9 });
    expect(items.things).toEqual([item]);
  });

  it("all of nothing is everything, any of nothing is nothing, and they nest with not", async () => {
    for (const label of ["a", "b", "c"]) await startSession(world, { label });
    const is = (value: string): Tree => onLabel("eq", value);
    expect(await found({ all: [] })).toEqual(["a", "b", "c"]);
    expect(await found({ any: [] })).toEqual([]);
    expect(await found({ not: { all: [] } })).toEqual([]);
    expect(await found({ all: [is("a"), is("b")] })).toEqual([]);
    expect(await found({ any: [is("a"), is("b")] })).toEqual(["a", "b"]);
    expect(await found({ all: [{ any: [is("a"), is("b")] }, { not: is("a") }] })).toEqual(["b"]);
    expect(await found({ any: [{ all: [is("a"), is("b")] }, { not: { any: [is("a"), is("b")] } }] })).toEqual(["c"]);
    expect(await found({ not: { not: is("a") } })).toEqual(["a"]);
  });

  it("a tree as large and as deep as the core allows is answered", async () => {
    await startSession(world, { label: "a" });
    const wide: Tree = { any: Array.from({ length: 198 }, (_, n) => onLabel("eq", n === 150 ? "a" : String(n))) };
    expect(await found(wide)).toEqual(["a"]);
    let deep: Tree = onLabel("eq", "a");
    for (let level = 0; level < 30; level++) deep = { not: deep };
    expect(await found(deep)).toEqual(["a"]);
  });

  describe("on an attribute", () => {
    // Numbers are compared as numbers (9 < 10), texts as texts, and neither with the other.
    const stored: Attributes[] = [
      { x: 9 },
      { x: 10 },
      { x: "10" },
      { x: "a" },
      { x: true },
      { x: null },
      { x: { y: 10 } },
      {},
      { x: -1.5 },
    ];
    const cases: [Comparison, Value, number[]][] = [
      ["eq", 10, [1]],
      ["eq", "10", [2]],
      ["eq", true, [4]],
      ["eq", false, []],
      ["eq", null, [5]],
      ["ne", 10, [0, 2, 3, 4, 5, 6, 7, 8]],
      ["ne", "a", [0, 1, 2, 4, 5, 6, 7, 8]],
      ["ne", null, [0, 1, 2, 3, 4, 6, 7, 8]],
      ["lt", 10, [0, 8]],
      ["le", 10, [0, 1, 8]],
      ["gt", 9, [1]],
      ["ge", 9, [0, 1]],
      ["gt", "10", [3]],
      ["le", "10", [2]],
      ["in", [9, "a", null], [0, 3, 5]],
      ["in", ["10"], [2]],
      ["in", ["10", "a", "true", "null", "-1.5"], [2, 3]],
      ["in", ["10", 10], [1, 2]],
      ["in", [10, true], [1, 4]],
      ["in", ["\0", "\ud800", "a", Number.NaN], [3]],
      ["in", ["\0"], []],
      ["in", [], []],
      ["eq", "\0", []],
      ["eq", "null", []],
      ["matches", "A*", [3]],
      ["matches", "*0", [2]],
    ];
    it.each(cases)("%s %j finds those at %j, and its negation all others", async (is, value, places) => {
      await startWith(stored);
      expect(await found(onX(is, value))).toEqual(places.map(String));
      const others = stored.map((_, n) => n).filter((n) => !places.includes(n));
      expect(await found({ not: onX(is, value) })).toEqual(others.map(String));
    });
  });

  const names = [
    "a'b",
    'a"b',
    "a?b",
    "a??b",
    "a\\b",
    "a:b",
    "$1",
    "{a,b}",
    "a,b",
    "",
    " ",
    "NULL",
    "') or true --",
    "ü🐘",
    "%",
    "_",
    "A",
    "null",
  ];

  it("a time finds the attribute that is its text, and an invalid one finds nothing", async () => {
    const time = new Date("2026-03-03T03:03:03.003Z");
    await startWith([{ x: time.toISOString() }, { x: "2026" }, {}]);
    const [no, other] = [new Date(Number.NaN), new Date(0)];
    expect(await found(onX("eq", time))).toEqual(["0"]);
    expect(await found(onX("in", [other, time]))).toEqual(["0"]);
    expect(await found(onX("gt", new Date("2026-03-03T03:03:03Z")))).toEqual(["0"]);
    for (const is of ["eq", "lt", "ge"] as const) expect(await found(onX(is, no))).toEqual([]);
    expect(await found(onX("in", [no]))).toEqual([]);
    expect(await found(onX("in", [no, time]))).toEqual(["0"]);
  });

  it.each(names)("the text %j is found among others, in a field as in an attribute", async (name) => {
    for (const label of [name, `${name}x`, "other"]) await startSession(world, { label, attributes: { x: label } });
    expect(await found(onLabel("in", [name, "y"]))).toEqual([name]);
    expect(await found(onX("in", ["y", name]))).toEqual([name]);
  });

  it("an attribute is found by its path, and a path into what has no members is not there", async () => {
    await startWith([{ a: { b: { c: 1 } } }, { a: { b: 1 } }, { "a.b.c": 1 }, { a: "b" }, {}]);
    expect(await found({ attribute: ["a", "b", "c"], is: "eq", value: 1 })).toEqual(["0"]);
    expect(await found({ attribute: ["a", "b", "c"], is: "ne", value: 1 })).toEqual(["1", "2", "3", "4"]);
    expect(await found({ attribute: ["a", "b"], is: "eq", value: 1 })).toEqual(["1"]);
    expect(await found({ attribute: ["a.b.c"], is: "eq", value: 1 })).toEqual(["2"]);
  });

  it.each(names)("the attribute name %j is taken literally, and so is such a value", async (name) => {
    await startWith([{ [name]: name, other: "y" }, { [`${name}x`]: name }, { x: { [name]: name } }]);
    for (const is of ["eq", "ge"] as const) {
      expect(await found({ attribute: [name], is, value: name })).toEqual(["0"]);
    }
    expect(await found({ attribute: [name], is: "in", value: [name] })).toEqual(["0"]);
    expect(await found({ attribute: [name], is: "in", value: ["y", name] })).toEqual(["0"]);
    expect(await found({ attribute: ["x", name], is: "in", value: ["y", name, 1] })).toEqual(["2"]);
    expect(await found({ attribute: ["x", name], is: "eq", value: name })).toEqual(["2"]);
    expect(await found({ attribute: [name], is: "ne", value: name })).toEqual(["1", "2"]);
    expect(await found({ attribute: [name], is: "matches", value: `${name}*` })).toEqual(["0"]);
  });

  describe("matches", () => {
    const labels = ["100%", "100x", "a_b", "axb", "a\\b", "A-B-C", "[ab]", "a.b", "what?", "line\nbreak", "É", "é"];
    const cases: [string, string[]][] = [
      ["100%", ["100%"]],
      ["1*%", ["100%"]],
      ["a_b", ["a_b"]],
      ["a\\b", ["a\\b"]],
      ["a\\*", ["a\\b"]],
      ["a*b", ["a.b", "a\\b", "a_b", "axb"]],
      ["a-b-c", ["A-B-C"]],
      ["*-b-*", ["A-B-C"]],
      ["**B**", ["A-B-C", "[ab]", "a.b", "a\\b", "a_b", "axb", "line\nbreak"]],
      ["[AB]", ["[ab]"]],
      ["what?", ["what?"]],
      ["wh_t?", []],
      ["100", []],
      ["line*BREAK", ["line\nbreak"]],
      ["é", ["É", "é"]],
    ];
    it.each(cases)("%j finds %j: only * stands for anything, and case does not count", async (pattern, expected) => {
      for (const label of labels) await startSession(world, { label, attributes: { x: label } });
      expect(await found(onLabel("matches", pattern))).toEqual([...expected].sort());
      expect(await found(onX("matches", pattern))).toEqual([...expected].sort());
    });
  });

  describe("same", () => {
    const labels = ["a*b", "aXb", "A_%\\B", "ab", "É", "é", "E\u0301", "ÄÖ ß", "ı", "İ"];
    const cases: [string, string[]][] = [
      ["A*B", ["a*b"]],
      ["*", []],
      ["a_%\\b", ["A_%\\B"]],
      ["a__b", []],
      ["AXB", ["aXb"]],
      ["é", ["É", "é"]],
      ["äö ß", ["ÄÖ ß"]],
      ["a", []],
      ["", []],
    ];
    it.each(cases)("%j finds %j: nothing stands for anything else, and case does not count", async (text, expected) => {
      for (const label of labels) await startSession(world, { label, attributes: { x: label } });
      expect(await found(onLabel("same", text))).toEqual([...expected].sort());
      expect(await found(onX("same", text))).toEqual([...expected].sort());
    });

    it("is never a number, a time or nothing", async () => {
      await startSession(world, { label: "1", attributes: { x: 1 } });
      for (const value of [1, true, null, new Date()]) {
        expect(await found(onLabel("same", value))).toEqual([]);
        expect(await found(onX("same", value))).toEqual([]);
        expect(await found({ field: "createdAt", is: "same", value })).toEqual([]);
      }
      expect(await found(onX("same", "1"))).toEqual([]);
    });
  });

  it("items and libraries are found by their fields and attributes too", async () => {
    const item = await startItem(world, { name: "Disk 1", type: "iso", attributes: { os: { name: "deb'ian" } } });
    const other = await startItem(world, { name: "Disk 2", type: "ovf" });
    const byItem = async (predicate: Parameters<typeof world.store.listItems>[1]) =>
      (await world.store.listItems(world.tenantId, predicate, { limit: 9 })).things.map(({ id }) => id);
    expect(await byItem({ field: "name", is: "matches", value: "disk*" })).toHaveLength(2);
    expect(await byItem({ field: "libraryId", is: "eq", value: item.libraryId })).toEqual([item.id]);
    expect(await byItem({ field: "type", is: "ne", value: "iso" })).toEqual([other.id]);
    expect(await byItem({ attribute: ["os", "name"], is: "eq", value: "deb'ian" })).toEqual([item.id]);
    const libraries = await world.store.listLibraries(
      world.tenantId,
      { field: "id", is: "in", value: [item.libraryId] },
      { limit: 9 },
    );
    expect(libraries.things.map(({ id }) => id)).toEqual([item.libraryId]);
  });

  it("a filter holds for every page of a list", async () => {
    const sessions: Session[] = [];
    for (let n = 0; n < 6; n++) sessions.push(await startSession(world, { label: n % 2 ? "odd" : "even" }));
    const { things } = await world.store.listSessions(world.tenantId, onLabel("eq", "odd"), { limit: 2 });
    const last = things.at(-1)!;
    const rest = await world.store.listSessions(world.tenantId, onLabel("eq", "odd"), { limit: 2, after: last });
    const seen = [...things, ...rest.things].map((session) => session.id);
    const odd = sessions.filter((_, n) => n % 2);
    expect(seen.sort()).toEqual(odd.map((session) => session.id).sort());
  });
}
