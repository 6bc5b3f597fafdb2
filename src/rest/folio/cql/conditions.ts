// Predicates put together so that the tree stays small and flat, whatever the query is made of.
import type { Predicate, SessionField } from "../../../core/index.js";
import { definitionStatuses } from "../schema.js";

export type Condition = Predicate<SessionField>;

export const everything: Condition = { all: [] };
export const nothing: Condition = { any: [] };

const statusPath = ["status"] as const;

/** True of the definitions whose status passes the test. */
export function statusCondition(test: (status: string) => boolean): Condition {
  const value = definitionStatuses.filter(test);
  if (value.length === 0) return nothing;
  if (value.length === definitionStatuses.length) return everything;
  return { attribute: statusPath, is: "in", value };
}

/** True of the session with this id. */
export function idCondition(id: string): Condition {
  return { field: "id", is: "in", value: [id] };
}

export function allOf(...conditions: readonly Condition[]): Condition {
  const parts = conditions.flatMap((condition) => ("all" in condition ? condition.all : [condition]));
  if (parts.some(isNothing)) return nothing;
  const statuses = parts.flatMap(findStatuses);
  const others = parts.filter((part) => findStatuses(part).length === 0);
  if (statuses.length > 0) {
    const both = statusCondition((status) => statuses.every((list) => list.includes(status)));
    if (isNothing(both)) return nothing;
    others.unshift(both);
  }
  return others.length === 1 ? others[0]! : { all: others };
}

export function anyOf(...conditions: readonly Condition[]): Condition {
  const parts = conditions.flatMap((condition) => ("any" in condition ? condition.any : [condition]));
  if (parts.some(isEverything)) return everything;
  const statuses = parts.flatMap(findStatuses);
  const ids = parts.flatMap(findIds);
  const others = parts.filter((part) => findStatuses(part).length === 0 && findIds(part).length === 0);
  if (ids.length > 0) others.unshift({ field: "id", is: "in", value: [...new Set(ids.flat())] });
  if (statuses.length > 0) {
    const either = statusCondition((status) => statuses.some((list) => list.includes(status)));
    if (isEverything(either)) return everything;
    others.unshift(either);
  }
  return others.length === 1 ? others[0]! : { any: others };
}

export function noneOf(condition: Condition): Condition {
  if (isNothing(condition)) return everything;
  if (isEverything(condition)) return nothing;
  const [statuses] = findStatuses(condition);
  if (statuses !== undefined) return statusCondition((status) => !statuses.includes(status));
  return "not" in condition ? condition.not : { not: condition };
}

/** How many conditions a tree has, and on how many levels. */
export function measure(condition: Condition): { readonly conditions: number; readonly levels: number } {
  const parts =
    "all" in condition ? condition.all : "any" in condition ? condition.any : "not" in condition ? [condition.not] : [];
  const measured = parts.map(measure);
  return {
    conditions: measured.reduce((sum, part) => sum + part.conditions, 1),
    levels: measured.reduce((most, part) => Math.max(most, part.levels), 0) + 1,
  };
}

function isNothing(condition: Condition): boolean {
  return "any" in condition && condition.any.length === 0;
}

function isEverything(condition: Condition): boolean {
  return "all" in condition && condition.all.length === 0;
}

/** The one list of a condition that `statusCondition` made; none of any other. */
function findStatuses(condition: Condition): readonly (readonly unknown[])[] {
  const isStatus = "attribute" in condition && condition.attribute === statusPath && Array.isArray(condition.value);
  return isStatus ? [condition.value as readonly unknown[]] : [];
}

function findIds(condition: Condition): readonly (readonly string[])[] {
  const isIds = "field" in condition && condition.field === "id" && condition.is === "in";
  return isIds ? [condition.value as readonly string[]] : [];
}
