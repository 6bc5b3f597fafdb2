import { parsePairs, type WireRequest } from "../../kit/index.js";
import { type VapiError, vapiError } from "../errors.js";
import type { Operation } from "../operation.js";
import { actionOf, familyOf } from "./names.js";

/** What a request's query says about which operation it is for, and which method it would have had. */
export function actionsOf({ path, query }: Pick<WireRequest, "path" | "query">): {
  readonly actions: readonly string[];
  readonly methods: readonly string[];
} {
  const family = familyOf(path);
  const actions: string[] = [];
  const methods: string[] = [];
  for (const [name, value] of parsePairs(query)) {
    if (name === "~action" || (name === "action" && family === "api")) actions.push(value);
    else if (name === "~method") methods.push(value);
  }
  return { actions, methods };
}

/** Throws where the query names another operation than the one that was found by method and path. */
export function assertMeant({ name }: Pick<Operation, "name">, request: WireRequest): void {
  const { actions, methods } = actionsOf(request);
  const isMeant = actions.every((action) => action === actionOf(name));
  if (!isMeant || methods.some((method) => method !== request.method)) throw noSuchOperation(request);
}

export function noSuchOperation({ method, path, query }: WireRequest): VapiError {
  const { actions, methods } = actionsOf({ path, query });
  const said = JSON.stringify([...actions, ...methods].join(", ").slice(0, 80));
  return vapiError("operation_not_found", "operation_not_found", `${method} here has no operation ${said}`, [path]);
}
