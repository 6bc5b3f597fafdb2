// Parts of one input that come from several places, and what has to be there in the end.
import { isId } from "../../../core/index.js";
import type { StructType, Type } from "../schema.js";
import { at, type Problems, quoted } from "./problems.js";
import { readText, type ScalarType } from "./scalars.js";

/** Both at once; the same leaf in both is a problem. A list is one leaf. */
export function mergeParts(type: Type, a: unknown, b: unknown, path: string, problems: Problems): unknown {
  if (a === undefined) return b;
  if (b === undefined) return a;
  if (type.kind === "optional") return mergeParts(type.type, a, b, path, problems);
  if (type.kind !== "struct") return problems.tell("value_repeated", path, "is there twice: in the query and the body");
  const [first, second] = [a as Members, b as Members];
  const merged: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(type.fields)) {
    const value = mergeParts(field, first[name], second[name], at(path, name), problems);
    if (value !== undefined) merged[name] = value;
  }
  return merged;
}

/**
 * Texts that fill parameters; where those are there already, they have to be the same. UUIDs of `id`, the parameter that
 * names a thing, are the same in upper and lower case.
 */
export function fillParameters(
  { fields }: StructType,
  input: Members,
  filling: {
    readonly place: string;
    readonly texts: Readonly<Record<string, string>>;
    readonly id?: string | undefined;
  },
  problems: Problems,
): Members {
  const filled: Record<string, unknown> = { ...input };
  for (const [name, text] of Object.entries(filling.texts)) {
    const there = input[name];
    const isSame = there === text || (name === filling.id && isSameId(there, text));
    if (there !== undefined && !isSame) {
      const sentence = `is ${quoted(text)} in the ${filling.place} and ${quoted(String(there))} elsewhere`;
      problems.tell("value_contradicted", name, sentence);
    }
    filled[name] = readText(scalarOf(fields[name]), text, name, problems);
  }
  return filled;
}

function isSameId(there: unknown, text: string): boolean {
  const id = text.toLowerCase();
  return typeof there === "string" && there.toLowerCase() === id && isId(id);
}

function scalarOf(type: Type | undefined): ScalarType {
  const bare = type?.kind === "optional" ? type.type : type;
  if (bare === undefined || bare.kind === "list" || bare.kind === "struct")
    throw new TypeError("this is no parameter of one word");
  return bare;
}

/** Tells what is missing. */
export function checkComplete(type: Type, value: unknown, path: string, problems: Problems): void {
  if (type.kind === "optional") {
    if (value !== undefined) checkComplete(type.type, value, path, problems);
  } else if (value === undefined) problems.tell("value_missing", path, "is missing");
  else if (type.kind === "struct") checkMembers(type, value as Members, path, problems);
  else if (type.kind === "list") {
    for (const [index, item] of (value as readonly unknown[]).entries()) {
      checkComplete(type.element, item, at(path, index + 1), problems);
    }
  }
}

export type Members = Readonly<Record<string, unknown>>;

function checkMembers({ fields }: StructType, value: Members, path: string, problems: Problems): void {
  for (const [name, field] of Object.entries(fields)) checkComplete(field, value[name], at(path, name), problems);
}
