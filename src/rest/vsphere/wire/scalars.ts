// The values at the leaves: in XML and forms they are text, in JSON numbers and booleans are what they are.
import type { JsonValue } from "../../../core/index.js";
import type { BooleanType, EnumType, InstantType, IntegerType, TextType } from "../schema.js";
import { findInstant } from "./instants.js";
import { type Problems, quoted } from "./problems.js";

export type ScalarType = TextType | IntegerType | BooleanType | InstantType | EnumType;

/** What is found is undefined when it is no such value, and then there is a problem. */
export function readText(type: ScalarType, sent: string, path: string, problems: Problems): unknown {
  switch (type.kind) {
    case "text":
      if (!sent.includes("\0") && sent.isWellFormed()) return sent;
      return refuse("a text of Unicode characters other than U+0000", sent, path, problems);
    case "integer": {
      const number = /^[+-]?\d{1,16}$/.test(sent) ? Number(sent) + 0 : Number.NaN;
      return Number.isSafeInteger(number) ? number : refuse(wholeNumber, sent, path, problems);
    }
    case "boolean":
      return sent === "true" ? true : sent === "false" ? false : refuse("true or false", sent, path, problems);
    case "instant":
      return findInstant(sent) ?? refuse("a moment such as 2013-06-06T22:13:05.000Z", sent, path, problems);
    case "enum": {
      const bare = bareWord(sent);
      const found = type.words.find((word) => bareWord(word) === bare);
      return found ?? refuse(`one of ${type.words.join(", ")}`, sent, path, problems);
    }
  }
}

/** The same for a value of JSON. */
export function readScalar(type: ScalarType, sent: JsonValue, path: string, problems: Problems): unknown {
  if (type.kind === "integer" && typeof sent === "number") {
    return Number.isSafeInteger(sent) ? sent + 0 : refuse(wholeNumber, sent, path, problems);
  }
  if (type.kind === "boolean" && typeof sent === "boolean") return sent;
  if (typeof sent === "string" && type.kind !== "integer" && type.kind !== "boolean") {
    return readText(type, sent, path, problems);
  }
  return refuse(wanted[type.kind], sent, path, problems);
}

const wholeNumber = "a whole number from -(2^53-1) to 2^53-1";

const wanted: Record<ScalarType["kind"], string> = {
  text: "a text",
  integer: wholeNumber,
  boolean: "true or false",
  instant: "a moment, as text",
  enum: "a word, as text",
};

/** Documents write SHA1 as `SH_a1`, too: neither case nor underscores tell words apart. */
function bareWord(word: string): string {
  return word.replaceAll("_", "").toUpperCase();
}

function refuse(what: string, sent: JsonValue, path: string, problems: Problems): undefined {
  problems.tell("value_invalid", path, `has to be ${what}, and is ${told(sent)}`);
}

function told(sent: JsonValue): string {
  if (typeof sent === "string") return quoted(sent);
  if (Array.isArray(sent)) return "a list";
  return typeof sent === "object" && sent !== null ? "an object" : String(sent);
}
