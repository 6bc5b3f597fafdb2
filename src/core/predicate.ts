import { invalid } from "./values.js";

/**
 * How a stored value is compared. `same` takes a text as it is, `matches` one where `*` stands for anything; for both case
 * does not count.
 */
export const comparisons = ["eq", "ne", "lt", "le", "gt", "ge", "in", "same", "matches"] as const;

export type Comparison = (typeof comparisons)[number];

export type PredicateValue = string | number | boolean | Date | null;

/**
 * A tree of conditions over a noun's fields (`Field`) and its attributes (by path), which the metadata adapter turns
 * into SQL. Comparing with an attribute that is not there is false, and true for `ne`.
 */
export type Predicate<Field extends string> =
  | { readonly all: readonly Predicate<Field>[] }
  | { readonly any: readonly Predicate<Field>[] }
  | { readonly not: Predicate<Field> }
  | { readonly field: Field; readonly is: Comparison; readonly value: PredicateValue | readonly PredicateValue[] }
  | {
      readonly attribute: readonly string[];
      readonly is: Comparison;
      readonly value: PredicateValue | readonly PredicateValue[];
    };

const maxConditions = 200;
const maxDepth = 32;
const maxValues = 1000;

/**
 * Throws `invalid` (PREDICATE_INVALID) for a tree that is too large, too deep, or compares a list other than by `in`.
 */
export function assertPredicate<Field extends string>(predicate: Predicate<Field>): void {
  let conditions = 0;
  const visit = (node: Predicate<Field>, depth: number): void => {
    if (++conditions > maxConditions || depth > maxDepth) {
      throw invalid("PREDICATE_INVALID", `a filter has at most ${maxConditions} conditions and ${maxDepth} levels`);
    }
    if ("all" in node) for (const child of node.all) visit(child, depth + 1);
    else if ("any" in node) for (const child of node.any) visit(child, depth + 1);
    else if ("not" in node) visit(node.not, depth + 1);
    else if (Array.isArray(node.value) !== (node.is === "in")) {
      throw invalid("PREDICATE_INVALID", `${node.is} compares with ${node.is === "in" ? "a list" : "one value"}`);
    } else if (Array.isArray(node.value) && node.value.length > maxValues) {
      throw invalid("PREDICATE_INVALID", `a list in a filter has at most ${maxValues} values`);
    } else if ("attribute" in node && node.attribute.length > maxDepth) {
      throw invalid("PREDICATE_INVALID", `the path of an attribute has at most ${maxDepth} levels`);
    }
  };
  visit(predicate, 0);
}
