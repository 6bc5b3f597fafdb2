import {
  type CqlClause,
  type CqlNode,
  type CqlQuery,
  type CqlRelation,
  type CqlTerm,
  isAllRecords,
  literalOf,
} from "./query.js";
import { createTextTest, foldText, hasWildcard } from "./text.js";

/** A query over things that are all at hand. Things are what JSON can say; a field that is not there matches nothing. */
export interface JsonFilter {
  matches(thing: unknown): boolean;
  /** In the order that the query asks for: where its keys leave things equal, and without any, in the order given. */
  sort<T>(things: readonly T[]): readonly T[];
}

type Test = (thing: unknown) => boolean;

const number = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/**
 * A field is named by its path. Of a list, any element that matches is enough, and an empty list is the text `[]`; true,
 * false and numbers are compared as the texts they are written with, numbers with numbers as such. `<>` is the opposite
 * of `==` where the field is there.
 */
export function createJsonFilter(query: CqlQuery): JsonFilter {
  const keys = query.sortBy.map(({ index, descending }) => ({ path: index.split("."), sign: descending ? -1 : 1 }));
  return {
    matches: createTest(query.where),
    sort: (things) => {
      const keyed = things.map((thing) => ({ thing, values: keys.map(({ path }) => sortValueOf(thing, path)) }));
      keyed.sort((a, b) => {
        for (const [n, { sign }] of keys.entries()) {
          const order = compare(a.values[n], b.values[n]);
          if (order !== 0) return sign * order;
        }
        return 0;
      });
      return keyed.map(({ thing }) => thing);
    },
  };
}

function createTest(node: CqlNode): Test {
  if (!("operator" in node)) return createClauseTest(node);
  const left = createTest(node.left);
  const right = createTest(node.right);
  if (node.operator === "and") return (thing) => left(thing) && right(thing);
  if (node.operator === "or") return (thing) => left(thing) || right(thing);
  return (thing) => left(thing) && !right(thing);
}

function createClauseTest(clause: CqlClause): Test {
  if (isAllRecords(clause)) return () => true;
  const path = clause.index.split(".");
  const { relation, term } = clause;
  if (relation !== "<>") {
    const test = createValueTest(relation, term);
    return (thing) => findValues(thing, path).some(test);
  }
  const isSame = createValueTest("==", term);
  return (thing) => {
    const values = findValues(thing, path);
    return values.length > 0 && !values.some(isSame);
  };
}

type Value = string | number | boolean;

function createValueTest(relation: CqlRelation, term: CqlTerm): (value: Value) => boolean {
  const test = createTextTest(relation, term);
  const text = literalOf(term);
  if (hasWildcard(term) || !number.test(text)) return (value) => test(String(value));
  const bound = Number(text);
  return (value) => (typeof value === "number" ? compareNumbers(relation, value, bound) : test(String(value)));
}

function compareNumbers(relation: CqlRelation, value: number, bound: number): boolean {
  if (relation === "<") return value < bound;
  if (relation === ">") return value > bound;
  if (relation === "<=") return value <= bound;
  if (relation === ">=") return value >= bound;
  return relation === "<>" ? value !== bound : value === bound;
}

function findValues(thing: unknown, path: readonly string[]): readonly Value[] {
  if (Array.isArray(thing)) {
    return thing.length === 0 && path.length === 0 ? ["[]"] : thing.flatMap((element) => findValues(element, path));
  }
  const [name, ...deeper] = path;
  if (name === undefined) {
    return typeof thing === "string" || typeof thing === "number" || typeof thing === "boolean" ? [thing] : [];
  }
  if (typeof thing !== "object" || thing === null || !Object.hasOwn(thing, name)) return [];
  return findValues((thing as Readonly<Record<string, unknown>>)[name], deeper);
}

/** What a thing is sorted by; of a list its first element. */
function sortValueOf(thing: unknown, path: readonly string[]): string | number | undefined {
  const value = findValues(thing, path)[0];
  return typeof value === "number" || value === undefined ? value : foldText(String(value));
}

/** Numbers before texts, and what has no value after all others. */
function compare(a: string | number | undefined, b: string | number | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  if (typeof a === typeof b) return a < b ? -1 : 1;
  return typeof a === "number" ? -1 : 1;
}
