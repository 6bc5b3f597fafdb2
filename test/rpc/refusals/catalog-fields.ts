// What the fields of libraries and items may not be, whether they are created or changed.
import type { JsonObject } from "@bufbuild/protobuf";
import { nested } from "./row.js";

export interface Fields {
  readonly name?: string;
  readonly description?: string;
  readonly attributes?: JsonObject;
}

export interface ItemFields extends Fields {
  readonly type?: string;
  readonly aliases?: { kind: string; value: string }[];
}

export interface Expecting {
  readonly expectedVersion?: bigint;
}

type Wrong<What> = readonly (readonly [line: string, when: string, fields: What])[];

const invalidName = "INVALID_ARGUMENT / NAME_INVALID";
const invalidText = "INVALID_ARGUMENT / TEXT_INVALID";
const invalidAttributes = "INVALID_ARGUMENT / ATTRIBUTES_INVALID";

export const unique = (word: string) => `${word} ${crypto.randomUUID()}`;
export const alias = () => ({ kind: "handle", value: unique("alias") });

export const wrongFields: Wrong<Fields> = [
  [invalidName, "an empty name", { name: "" }],
  [invalidName, "a name of 256 bytes", { name: `${"x".repeat(254)}é` }],
  [invalidName, "a name with a slash", { name: "a/b" }],
  [invalidName, "a name with a control character", { name: "a\u0085b" }],
  [invalidName, "the name `..`", { name: ".." }],
  [invalidText, "a description of 2001 characters", { description: "x".repeat(2001) }],
  [invalidText, "a description with a NUL", { description: "a\0b" }],
  [invalidAttributes, "attributes of 65 KiB", { attributes: { a: "x".repeat(66_560) } }],
  [invalidAttributes, "attributes of 17 levels", { attributes: nested(17) as never }],
  [invalidAttributes, "attributes with a NUL", { attributes: { a: ["\0"] } }],
];

export const wrongItemFields: Wrong<ItemFields> = [
  ...wrongFields,
  [invalidText, "a type of 256 characters", { type: "x".repeat(256) }],
  [invalidText, "a type with a NUL", { type: "\0" }],
  [invalidName, "an alias without a kind", { aliases: [{ kind: "", value: "a" }] }],
  [invalidName, "an alias whose kind has a slash", { aliases: [{ kind: "a/b", value: "a" }] }],
  [invalidName, "33 aliases", { aliases: Array.from({ length: 33 }, alias) }],
  [invalidName, "the same alias twice", { aliases: [1, 2].map(() => ({ kind: "k", value: "v" })) }],
  [invalidText, "an alias of 256 characters", { aliases: [{ kind: "k", value: "x".repeat(256) }] }],
  [invalidText, "an alias with a NUL", { aliases: [{ kind: "k", value: "\0" }] }],
];

export const wrongVersions = [
  ["a negative expected version", -1n],
  ["an expected version of 2^53", 2n ** 53n],
  ["an expected version of 2^63-1", 2n ** 63n - 1n],
] as const;
