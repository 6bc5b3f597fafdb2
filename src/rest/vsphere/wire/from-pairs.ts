// Parameters as pairs: a leaf each, called by its path. Members of lists have numbers from 1.
import { invalidArgument } from "../errors.js";
import type { StructType, Type } from "../schema.js";
import { at, type Problems } from "./problems.js";
import { readText, type ScalarType } from "./scalars.js";

const maxPairs = 10_000;

/** What was sent, by the names on the way to it: the type is not asked yet but for whether there is such a leaf. */
interface Node {
  readonly type: Exclude<Type, { kind: "optional" }>;
  readonly parts: Map<string, Node>;
  /** At leaves; more than one are a list without numbers, or one too many. */
  readonly values: string[];
}

/**
 * What is found in pairs; undefined for nothing. Throws `invalid_argument` for more than 10,000 of them. That something is
 * missing is nobody's problem yet.
 */
export function readPairs(
  type: StructType,
  pairs: Iterable<readonly [name: string, value: string]>,
  problems: Problems,
): unknown {
  const root = nodeOf(type);
  let count = 0;
  for (const [name, value] of pairs) {
    if (++count > maxPairs) throw invalidArgument("too_many_parameters", `there are more than ${maxPairs} parameters`);
    const node = findNode(root, name);
    if (node === undefined) problems.tellUnknown(name);
    else node.values.push(value);
  }
  // What is on the way to no leaf has no value.
  problems.assertNone();
  return count === 0 ? undefined : readNode(root, "", problems);
}

/** Undefined where the type has no such leaf. */
function findNode(root: Node, name: string): Node | undefined {
  let node = root;
  for (const word of wordsOf(name)) {
    const type = partOf(node.type, word);
    if (type === undefined) return undefined;
    const part = node.parts.get(word) ?? nodeOf(type);
    node.parts.set(word, part);
    node = part;
  }
  const holds = node.type.kind === "list" ? bare(node.type.element) : node.type;
  return isScalar(holds) ? node : undefined;
}

/** A few more words than any type has levels: what has more is no leaf, either. */
function wordsOf(name: string): readonly string[] {
  return name.split(".", 32);
}

function partOf(type: Node["type"], word: string): Type | undefined {
  if (type.kind === "struct") return Object.hasOwn(type.fields, word) ? type.fields[word] : undefined;
  return type.kind === "list" && /^\d{1,9}$/.test(word) ? type.element : undefined;
}

function readNode({ type, parts, values }: Node, path: string, problems: Problems): unknown {
  switch (type.kind) {
    case "struct": {
      const found: Record<string, unknown> = {};
      for (const [name, part] of parts) {
        const value = readNode(part, at(path, name), problems);
        if (value !== undefined) found[name] = value;
      }
      return found;
    }
    case "list": {
      if (parts.size > 0 && values.length > 0) {
        return problems.tell("value_repeated", path, "is there with numbers and without");
      }
      const element = bare(type.element);
      if (values.length > 0) {
        return values.map((value, index) => readText(element as ScalarType, value, at(path, index + 1), problems));
      }
      const numbers = Array.from(parts.keys(), (_, index) => String(index + 1));
      if (!numbers.every((number) => parts.has(number))) {
        return problems.tell("value_invalid", path, "is a list: its numbers begin at 1 and have no gap");
      }
      return numbers.map((number) => readNode(parts.get(number)!, at(path, number), problems));
    }
    default:
      if (values.length > 1) return problems.tell("value_repeated", path, "is there twice");
      return readText(type, values[0]!, path, problems);
  }
}

function nodeOf(type: Type): Node {
  return { type: bare(type), parts: new Map(), values: [] };
}

function bare(type: Type): Node["type"] {
  return type.kind === "optional" ? type.type : type;
}

function isScalar(type: Node["type"]): type is ScalarType {
  return type.kind !== "struct" && type.kind !== "list";
}
