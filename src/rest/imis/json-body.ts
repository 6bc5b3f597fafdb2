import type { JsonValue } from "../../core/index.js";
import { parseJson, type RoutedRequest } from "../kit/index.js";
import { ImisError } from "./errors.js";

/** The members of a body that is a JSON object. One that is missing, null or an empty text says nothing: undefined. */
export interface JsonMembers {
  /** Throws `request_invalid` for what is no text. */
  text(name: string): string | undefined;
  /** Throws `request_invalid` for what is no whole number from 0 to 2^53-1. */
  count(name: string): number | undefined;
  /** Throws `request_invalid` for what is neither true nor false. */
  flag(name: string): boolean | undefined;
  /** Throws `request_invalid` for what is no JSON object. */
  members(name: string): JsonMembers | undefined;
  /** Whatever it is. */
  value(name: string): JsonValue | undefined;
}

type JsonObject = { readonly [name: string]: JsonValue };

const mostBodyBytes = 64 * 1024;

/** No body, an empty one and null have no members. Throws `request_invalid`, also by `HttpProblem`. */
export async function readMembers(request: Pick<RoutedRequest, "text">): Promise<JsonMembers> {
  const text = await request.text({ mostBytes: mostBodyBytes });
  const body: JsonValue = /^\s*$/.test(text) ? {} : (parseJson(text) ?? {});
  if (!isObject(body)) throw new ImisError("request_invalid", "the body must be a JSON object");
  return membersOf(body);
}

function membersOf(object: JsonObject): JsonMembers {
  const value = (name: string) => {
    const given = Object.hasOwn(object, name) ? object[name] : undefined;
    return given === null || given === "" ? undefined : given;
  };
  const read =
    <T extends JsonValue>(isOne: (value: JsonValue) => value is T, what: string) =>
    (name: string): T | undefined => {
      const given = value(name);
      if (given === undefined || isOne(given)) return given;
      throw new ImisError("request_invalid", `${name} must be ${what}`);
    };
  const readObject = read(isObject, "a JSON object");
  return {
    text: read(isText, "text in well-formed Unicode"),
    count: read(isCount, "a whole number from 0 to 2^53-1"),
    flag: read((given) => typeof given === "boolean", "true or false"),
    members(name) {
      const given = readObject(name);
      return given && membersOf(given);
    },
    value,
  };
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: JsonValue): value is string {
  return typeof value === "string" && value.isWellFormed();
}

function isCount(value: JsonValue): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
