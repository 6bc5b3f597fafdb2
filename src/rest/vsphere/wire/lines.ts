// Where an operation is found: all that follows from its description.
import type { Family } from "../call.js";
import type { Operation } from "../operation.js";
import { actionOf, pathOf } from "./names.js";

export interface OperationLine {
  readonly line: string;
  readonly family: Family;
}

/**
 * In 6.x an operation has a method of its own, if it has one, and is always found by `POST ...?~action=`: both with `/rest`
 * in front and without.
 */
export function linesOf(operation: Operation): readonly OperationLine[] {
  const rest = ["/rest", ""].flatMap((prefix) => restLines(operation, prefix + pathOf(operation.service)));
  return [
    ...[...new Set(rest)].map((line) => ({ line, family: "rest" }) as const),
    ...(operation.api?.lines ?? []).map((line) => ({ line, family: "api" }) as const),
  ];
}

function restLines({ name, id, rest }: Operation, path: string): readonly string[] {
  const named = `?~action=${actionOf(name)}`;
  const atId = id === undefined ? undefined : `${path}/id:{${id}}`;
  const at = rest?.at === "id" ? atId : path;
  return [
    ...(rest === undefined ? [] : [`${rest.method} ${at}${rest.named ? named : ""}`]),
    ...(atId === undefined ? [] : [`POST ${atId}${named}`]),
    `POST ${path}${named}`,
  ];
}
