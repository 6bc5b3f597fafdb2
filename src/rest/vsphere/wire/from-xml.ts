import { invalidArgument } from "../errors.js";
import type { Operation } from "../operation.js";
import type { StructType, Type } from "../schema.js";
import { namespaceOf, rootOf } from "./names.js";
import { at, type Problems, quoted } from "./problems.js";
import { readText } from "./scalars.js";
import { parseXml, type XmlElement } from "./xml-tree.js";

/**
 * What an operation's document says; throws `invalid_argument` for the document of another one. A root without a namespace
 * is taken. Elements that the input does not have are passed over, with all in them.
 */
export async function readDocument(operation: Operation, text: string, problems: Problems): Promise<unknown> {
  const root = await parseXml(text);
  const name = rootOf(operation, "Input");
  const namespace = namespaceOf(operation);
  if (root.local !== name || (root.namespace !== "" && root.namespace !== namespace)) {
    const found = quoted(root.namespace === "" ? root.local : `{${root.namespace}}${root.local}`);
    throw invalidArgument("xml_root", `the root has to be ${name} of ${namespace}, and is ${found}`, [name, namespace]);
  }
  return readElement(operation.input, root, "", { namespace, problems });
}

interface Reading {
  /** What an element may be in, beside none. */
  readonly namespace: string;
  readonly problems: Problems;
}

function readElement(type: Type, element: XmlElement, path: string, reading: Reading): unknown {
  if (element.isNil) return undefined;
  const { problems } = reading;
  switch (type.kind) {
    case "optional":
      return readElement(type.type, element, path, reading);
    case "struct":
      return readMembers(type, element, path, reading);
    case "list": {
      if (hasText(element)) return problems.tell("value_invalid", path, "has text beside its array-item elements");
      const items = element.children.filter((child) => child.local === "array-item" && isOwn(child, reading));
      return items.map((item, index) => {
        const here = at(path, index + 1);
        if (item.isNil) problems.tell("value_invalid", here, "is nil in a list");
        return readElement(type.element, item, here, reading);
      });
    }
    default: {
      if (element.children.length > 0) return problems.tell("value_invalid", path, "has elements where text belongs");
      const text = type.kind === "text" ? element.text : element.text.trim();
      return readText(type, text, path, problems);
    }
  }
}

function readMembers({ fields }: StructType, element: XmlElement, path: string, reading: Reading): unknown {
  const { problems } = reading;
  if (hasText(element)) return problems.tell("value_invalid", path, "has text where elements belong");
  const found: Record<string, unknown> = {};
  const seen = new Set<string>();
  for (const child of element.children) {
    const name = child.local.replace(/-array$/, "");
    if (!isOwn(child, reading) || !Object.hasOwn(fields, name)) continue;
    const field = fields[name]!;
    const here = at(path, name);
    const right = isList(field) ? `${name}-array` : name;
    if (child.local !== right) problems.tell("value_invalid", here, `has to be an element ${right}`);
    if (seen.has(name)) problems.tell("value_repeated", here, "is there twice");
    seen.add(name);
    const value = readElement(field, child, here, reading);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function isList(type: Type): boolean {
  return type.kind === "list" || (type.kind === "optional" && type.type.kind === "list");
}

function isOwn({ namespace }: XmlElement, reading: Reading): boolean {
  return namespace === "" || namespace === reading.namespace;
}

function hasText({ text }: XmlElement): boolean {
  return /[^ \t\r\n]/.test(text);
}
