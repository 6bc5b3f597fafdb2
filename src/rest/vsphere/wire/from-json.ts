import type { JsonValue } from "../../../core/index.js";
import type { Type } from "../schema.js";
import { at, type Problems } from "./problems.js";
import { readScalar } from "./scalars.js";

/**
 * What of a type is found in JSON; undefined for nothing, as `null` is. Members that the type does not have are passed over;
 * that something is missing is nobody's problem yet.
 */
export function readJson(type: Type, sent: JsonValue, path: string, problems: Problems): unknown {
  if (sent === null) return undefined;
  switch (type.kind) {
    case "optional":
      return readJson(type.type, sent, path, problems);
    case "list":
      if (!Array.isArray(sent)) return problems.tell("value_invalid", path, "has to be a list");
      return sent.map((item: JsonValue, index) => {
        const here = at(path, index + 1);
        if (item === null) problems.tell("value_invalid", here, "is null in a list");
        return readJson(type.element, item, here, problems);
      });
    case "struct": {
      if (typeof sent !== "object" || Array.isArray(sent)) {
        return problems.tell("value_invalid", path, "has to be an object");
      }
      const found: Record<string, unknown> = {};
      for (const [name, field] of Object.entries(type.fields)) {
        const member = Object.hasOwn(sent, name) ? (sent as Record<string, JsonValue>)[name]! : null;
        const value = readJson(field, member, at(path, name), problems);
        if (value !== undefined) found[name] = value;
      }
      return found;
    }
    default:
      return readScalar(type, sent, path, problems);
  }
}
