// What a request body must look like, as data: shapes that read a value or say what is wrong with it.
import type { JsonValue } from "../../core/index.js";
import { parseDate } from "./dates.js";
import { type ErrorEntry, FolioErrors, FolioRefusal } from "./errors.js";

/**
 * Reads a value at a place (`fileDefinitions[0].name`). What no such value could mean is thrown as the 400 of a JSON
 * parser; a value that breaks a rule is told to `blame`, and what is returned then is of no use.
 */
export interface Shape<T> {
  read(value: JsonValue, place: string, blame: Blame): T;
  /** What stands for a value that is not there. */
  readonly absent?: T;
}

type Blame = (error: ErrorEntry) => void;

const uuidPattern = "^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[1-5][a-fA-F0-9]{3}-[89abAB][a-fA-F0-9]{3}-[a-fA-F0-9]{12}$";
const uuidForm = new RegExp(uuidPattern);

/** A body may break rules at many places: that many of them are told. */
const maxErrors = 1000;

/** Reads a whole body. Throws `FolioRefusal` (400) and `FolioErrors` (422). */
export function readBody<T>(shape: Shape<T>, body: JsonValue): T {
  const errors: ErrorEntry[] = [];
  const blame = (error: ErrorEntry) => {
    errors.push(error);
    if (errors.length === maxErrors) throw new FolioErrors(errors);
  };
  const result = shape.read(body, "", blame);
  if (errors.length > 0) throw new FolioErrors(errors);
  return result;
}

/** Text that can be stored: PostgreSQL holds neither NUL nor half of a surrogate pair. */
export function text(maxLength: number): Shape<string> {
  return {
    read(value, place, blame) {
      if (typeof value !== "string") throw mismatch(value, place, "a string");
      if (value.length > maxLength) {
        blame(violation("Size", `size must be between 0 and ${maxLength}`, place, value));
      } else if (value.includes("\0") || !value.isWellFormed()) {
        blame(violation("Pattern", "must not have a NUL character or half of a surrogate pair", place, value));
      }
      return value;
    },
  };
}

export const uuid: Shape<string> = {
  read(value, place, blame) {
    if (typeof value !== "string") throw mismatch(value, place, "a string");
    if (!uuidForm.test(value)) blame(violation("Pattern", `must match "${uuidPattern}"`, place, value));
    return value;
  },
};

export const int32: Shape<number> = {
  read(value, place) {
    if (typeof value === "number" && Number.isInteger(value) && (value | 0) === value) return value;
    throw mismatch(value, place, "a whole number from -2147483648 to 2147483647");
  },
};

export const flag: Shape<boolean> = {
  read(value, place) {
    if (typeof value === "boolean") return value;
    throw mismatch(value, place, "true or false");
  },
};

export const date: Shape<Date> = {
  read(value, place) {
    const read = parseDate(value);
    if (read === undefined) throw mismatch(value, place, "a date like 2019-03-21T15:36:49.583+0000");
    return read;
  },
};

export function oneOf<const Word extends string>(words: readonly Word[]): Shape<Word> {
  return {
    read(value, place) {
      const word = words.find((known) => known === value);
      if (word === undefined) throw mismatch(value, place, `one of ${words.join(", ")}`);
      return word;
    },
  };
}

/** An array; one that is not there is empty. */
export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return {
    absent: [],
    read(value, place, blame) {
      if (!isArray(value)) throw mismatch(value, place, "an array");
      const things: T[] = [];
      for (const [index, one] of value.entries()) {
        const at = `${place}[${index}]`;
        if (one === null) blame(missing(at));
        else things.push(item.read(one, at, blame));
      }
      return things;
    },
  };
}

/**
 * An object with these members and no others; null is as good as nothing. What is `readOnly` may be sent back and is
 * dropped, whatever it is.
 */
export function object<T extends object>(shape: {
  readonly members: { readonly [Name in keyof T]-?: Shape<NonNullable<T[Name]>> };
  readonly required?: readonly (keyof T & string)[];
  readonly readOnly?: readonly string[];
}): Shape<T> {
  const { required = [], readOnly = [] } = shape;
  const members = Object.entries<Shape<unknown>>(shape.members);
  const known = new Set([...members.map(([name]) => name), ...readOnly]);
  return {
    read(value, place, blame) {
      if (value === null || typeof value !== "object" || isArray(value)) throw mismatch(value, place, "an object");
      for (const name of Object.keys(value)) if (!known.has(name)) throw unrecognized(name, place, known);
      const result: Record<string, unknown> = {};
      for (const [name, member] of members) {
        const sent = Object.hasOwn(value, name) ? (value[name] ?? null) : null;
        const at = place === "" ? name : `${place}.${name}`;
        if (sent !== null) result[name] = member.read(sent, at, blame);
        else if (required.some((one) => one === name)) blame(missing(at));
        else if (member.absent !== undefined) result[name] = member.absent;
      }
      return result as T;
    },
  };
}

function mismatch(value: JsonValue, place: string, expected: string): FolioRefusal {
  const kind = isArray(value)
    ? "an array"
    : value === null
      ? "null"
      : typeof value === "object"
        ? "an object"
        : show(value);
  return new FolioRefusal(400, `Cannot read ${place === "" ? "the body" : place}: expected ${expected}, not ${kind}`);
}

function unrecognized(name: string, place: string, known: ReadonlySet<string>): FolioErrors {
  const where = place === "" ? "" : ` in ${place}`;
  const message = `Unrecognized field ${show(name)}${where}, known are ${[...known].join(", ")}`;
  return new FolioErrors([{ message, type: "1", code: "-1", parameters: [{ key: "", value: "" }] }]);
}

function missing(place: string): ErrorEntry {
  return violation("NotNull", "must not be null", place, "null");
}

function violation(
  constraint: "NotNull" | "Pattern" | "Size",
  message: string,
  key: string,
  value: string,
): ErrorEntry {
  const code = `jakarta.validation.constraints.${constraint}.message`;
  const storable = cut(value).replaceAll("\0", "\ufffd");
  return { message, type: "1", code, parameters: [{ key, value: storable }] };
}

function show(value: string | number | boolean): string {
  return typeof value === "string" ? JSON.stringify(cut(value)) : String(value);
}

/** The beginning of it, without halves of surrogate pairs. */
function cut(value: string): string {
  return value.slice(0, 80).toWellFormed();
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
