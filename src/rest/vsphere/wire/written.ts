import type { Type } from "../schema.js";

/** What an operation gives is what its type says: everything else is a slip of our own. */
export function assertThere(type: Type, value: unknown): void {
  if (value === undefined || value === null) throw new TypeError(`a ${type.kind} is missing in an answer`);
}
