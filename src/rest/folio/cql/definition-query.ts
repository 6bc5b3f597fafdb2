import {
  allOf,
  anyOf,
  type Condition,
  everything,
  idCondition,
  measure,
  noneOf,
  nothing,
  statusCondition,
} from "./conditions.js";
import {
  type CqlClause,
  CqlError,
  type CqlNode,
  type CqlQuery,
  type CqlRelation,
  type CqlTerm,
  isAllRecords,
  literalOf,
} from "./query.js";
import { asksForAny, createTextTest, foldText, splitTerm } from "./text.js";
import { findPeriod, type Period } from "./times.js";

/** A query over upload definitions as the core lists sessions. */
export interface DefinitionQuery {
  readonly where: Condition;
  /** By the time of creation, which is all that the list can be ordered by. */
  readonly order: "newest" | "oldest";
}

/** Where a field of a definition is in the session that it is. */
type Place = { readonly field: "id" | "createdAt" } | { readonly attribute: readonly [string] };

// What the core allows, less what whoever asks sets around it.
const mostConditions = 180;
const mostLevels = 28;

const places: Readonly<Record<string, { readonly kind: "id" | "time"; readonly at: Place }>> = {
  id: { kind: "id", at: { field: "id" } },
  metaJobExecutionId: { kind: "id", at: { attribute: ["metaJobExecutionId"] } },
  "metadata.createdByUserId": { kind: "id", at: { attribute: ["createdByUserId"] } },
  "metadata.updatedByUserId": { kind: "id", at: { attribute: ["updatedByUserId"] } },
  createDate: { kind: "time", at: { attribute: ["createDate"] } },
  createdDate: { kind: "time", at: { field: "createdAt" } },
  "metadata.createdDate": { kind: "time", at: { field: "createdAt" } },
  "metadata.updatedDate": { kind: "time", at: { attribute: ["updatedDate"] } },
};
const orders = { "<": "lt", "<=": "le", ">": "gt", ">=": "ge" } as const;
const creationKeys: readonly string[] = ["createdDate", "createDate", "metadata.createdDate"];

/**
 * A field that a definition does not have matches nothing, `<>` included. Times are equal within what is named of them,
 * and before or after its first millisecond. Throws `CqlError` for a query that is too large for a list of definitions,
 * and for a wildcard that it cannot look for.
 */
export function compileDefinitionQuery(query: CqlQuery): DefinitionQuery {
  const where = compileNode(query.where);
  const { conditions, levels } = measure(where);
  if (conditions > mostConditions) {
    throw new CqlError(`the query comes to ${conditions} conditions, at most ${mostConditions} are allowed`);
  }
  if (levels > mostLevels) {
    throw new CqlError(`and, or and not alternate on ${levels} levels, at most ${mostLevels} are allowed`);
  }
  const key = query.sortBy.find(({ index }) => creationKeys.includes(index));
  return { where, order: key === undefined || key.descending ? "newest" : "oldest" };
}

function compileNode(node: CqlNode): Condition {
  if (!("operator" in node)) return compileClause(node);
  const left = compileNode(node.left);
  const right = compileNode(node.right);
  if (node.operator === "and") return allOf(left, right);
  if (node.operator === "or") return anyOf(left, right);
  return allOf(left, noneOf(right));
}

function compileClause(clause: CqlClause): Condition {
  const { index, relation, term } = clause;
  if (isAllRecords(clause)) return everything;
  if (index === "status") return statusCondition(createTextTest(relation, term));
  if (!Object.hasOwn(places, index)) return nothing;
  const { kind, at } = places[index]!;
  if (asksForAny(relation, term)) return isThere(at);
  return kind === "time" ? compileTime(at, clause) : compileId(at, clause);
}

function isThere(at: Place): Condition {
  return "field" in at ? everything : { ...at, is: "matches", value: "*" };
}

function compileTime(at: Place, { relation, term }: CqlClause): Condition {
  const period = findPeriod(term);
  if (period === undefined) return relation === "<>" ? isThere(at) : nothing;
  const { first, last } = period;
  if (isOrder(relation)) return { ...at, is: orders[relation], value: first };
  if (relation === "<>") return anyOf({ ...at, is: "lt", value: first }, { ...at, is: "gt", value: last });
  return isWithin(at, period);
}

function isWithin(at: Place, { first, last }: Period): Condition {
  if (first.getTime() === last.getTime()) return { ...at, is: "eq", value: first };
  return allOf({ ...at, is: "ge", value: first }, { ...at, is: "le", value: last });
}

/** An id is one word, in lower case and without accents. */
function compileId(at: Place, { relation, term }: CqlClause): Condition {
  if (isOrder(relation)) return { ...at, is: orders[relation], value: foldText(literalOf(term)) };
  if (relation === "<>") return allOf(isThere(at), noneOf(isId(at, term)));
  if (relation === "any") return anyOf(...splitTerm(term).map((word) => isId(at, word)));
  if (relation === "all") return allOf(...splitTerm(term).map((word) => isId(at, word)));
  return isId(at, term);
}

function isId(at: Place, term: CqlTerm): Condition {
  if (term.some((piece) => typeof piece !== "string" && piece.any === "character")) {
    throw new CqlError("the wildcard ? is not supported for an id, * is", literalOf(term));
  }
  const pieces = term.map((piece) => (typeof piece === "string" ? foldText(piece) : "*"));
  // A star that is meant as such is in no id.
  if (term.some((piece) => typeof piece === "string" && piece.includes("*"))) return nothing;
  const value = pieces.join("");
  return "field" in at && !value.includes("*") ? idCondition(value) : { ...at, is: "matches", value };
}

function isOrder(relation: CqlRelation): relation is keyof typeof orders {
  return Object.hasOwn(orders, relation);
}
