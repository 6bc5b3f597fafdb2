import { describe, expect, it } from "vitest";
import { assertPredicate, comparisons, type Predicate, type SessionField } from "../../src/core/index.js";

type Node = Predicate<SessionField>;

const refused = expect.objectContaining({ code: "invalid", details: { reason: "PREDICATE_INVALID" } });
const leaf: Node = { field: "label", is: "eq", value: "a" };
const nested = (levels: number): Node => (levels === 0 ? leaf : { not: nested(levels - 1) });
const wide = (count: number): Node => ({ any: Array.from({ length: count }, () => leaf) });

describe("a filter", () => {
  it("may be everything or nothing", () => {
    assertPredicate({ all: [] });
    assertPredicate({ any: [] });
    assertPredicate({ all: [leaf, { any: [leaf, { not: leaf }] }] });
  });

  it("has at most 32 levels", () => {
    assertPredicate(nested(32));
    expect(() => assertPredicate(nested(33))).toThrow(refused);
    expect(() => assertPredicate(nested(5000))).toThrow(refused);
  });

  it("has at most 200 conditions, however they are spread", () => {
    assertPredicate(wide(199));
    expect(() => assertPredicate(wide(200))).toThrow(refused);
    expect(() => assertPredicate({ all: [wide(100), { not: wide(100) }] })).toThrow(refused);
  });

  it.each(comparisons)("compares by %s with a list if that is `in`, else with one value", (is) => {
    const list: Node = { field: "label", is, value: ["a", "b"] };
    const one: Node = { attribute: ["job", "status"], is, value: "a" };
    if (is === "in") {
      assertPredicate(list);
      expect(() => assertPredicate(one)).toThrow(refused);
    } else {
      assertPredicate(one);
      expect(() => assertPredicate(list)).toThrow(refused);
    }
  });

  it("has at most 1000 values in one list (P10)", () => {
    const values = (count: number): Node => ({ field: "label", is: "in", value: Array(count).fill("a") });
    assertPredicate(values(1000));
    expect(() => assertPredicate(values(100_000))).toThrow(refused);
  });
});
