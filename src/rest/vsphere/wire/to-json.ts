import type { JsonValue } from "../../../core/index.js";
import type { Type } from "../schema.js";
import { assertThere } from "./written.js";

/** A value as JSON: what its type has, and nothing beside. Undefined for what is left out. */
export function toJson(type: Type, value: unknown): JsonValue | undefined {
  if (type.kind === "optional") return value === undefined ? undefined : toJson(type.type, value);
  assertThere(type, value);
  switch (type.kind) {
    case "struct": {
      const members = Object.entries(type.fields).map(([name, field]) => {
        return [name, toJson(field, (value as Record<string, unknown>)[name])] as const;
      });
      return Object.fromEntries(members.filter((member): member is [string, JsonValue] => member[1] !== undefined));
    }
    case "list":
      return (value as readonly unknown[]).map((item) => toJson(type.element, item) ?? null);
    case "instant":
      return (value as Date).toISOString();
    default:
      return value as JsonValue;
  }
}
