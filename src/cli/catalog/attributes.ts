import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { parseWhole } from "../connection/settings.js";
import { wrongUse } from "../shell/cli-error.js";
import type { Options } from "../shell/command.js";

export const attributeOption = {
  attribute: {
    type: "string",
    value: "NAME=VALUE",
    multiple: true,
    summary: "data of your own; a VALUE that is JSON is kept as that, any other as text. May be given more than once",
  },
} as const satisfies Options;

/** What every change of a thing in the catalog may say. */
export const changeOptions = {
  name: { type: "string", value: "NAME", summary: "its new name" },
  description: { type: "string", value: "TEXT", summary: "its new description, for people" },
  ...attributeOption,
  "remove-attribute": { type: "string", value: "NAME", multiple: true, summary: "an attribute to take away" },
  "if-version": { type: "string", value: "N", summary: "change nothing unless it has this version" },
} as const satisfies Options;

interface AttributeWords {
  readonly attribute?: readonly string[] | undefined;
  readonly "remove-attribute"?: readonly string[] | undefined;
}

export function parseAttributes(words: readonly string[] = []): JsonObject {
  return Object.fromEntries(
    words.map((word) => {
      const [name, value] = parsePair(word, "--attribute", "NAME=VALUE");
      return [name, parseValue(name, value)];
    }),
  );
}

/** `NAME=VALUE` taken apart at its first `=`. */
export function parsePair(word: string, what: string, shape: string): [string, string] {
  const at = word.indexOf("=");
  if (at > 0) return [word.slice(0, at), word.slice(at + 1)];
  throw wrongUse(`${what} is ${shape}, not ${JSON.stringify(word)}`);
}

export function parseVersion(text: string | undefined): bigint | undefined {
  return text === undefined ? undefined : BigInt(parseWhole(text, "--if-version", 1, 10 ** 15 - 1));
}

export function changesAttributes(words: AttributeWords): boolean {
  return (words.attribute ?? words["remove-attribute"]) !== undefined;
}

/** Attributes with those that are named set or taken away; the others stay. */
export function changeAttributes(before: JsonObject | undefined, words: AttributeWords): JsonObject {
  const after = new Map(Object.entries(before ?? {}));
  for (const name of words["remove-attribute"] ?? []) after.delete(name);
  for (const [name, value] of Object.entries(parseAttributes(words.attribute))) after.set(name, value);
  return Object.fromEntries(after);
}

function parseValue(name: string, text: string): JsonValue {
  const found = readJson(text);
  const value = found === undefined ? text : found;
  assertExact(name, value);
  return value;
}

/** Undefined for what is no JSON; `null` is. */
function readJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

/**
 * Numbers are kept as doubles: one that would become another is refused rather than changed. So is the one name that is
 * lost on its way.
 */
function assertExact(name: string, value: JsonValue): void {
  if (name === "__proto__") throw wrongUse("--attribute: nothing can be called __proto__");
  if (typeof value === "object" && value !== null) {
    for (const [key, part] of Object.entries(value)) assertExact(key, part);
  }
  if (typeof value !== "number") return;
  if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return;
  throw wrongUse(`--attribute ${name}: a number is too large to be kept exactly; as text it stands in quotes`);
}
