import type { Type } from "../schema.js";
import { assertThere } from "./written.js";

/** A document whose root, in `namespace`, holds the members of a structure. */
export function xmlDocument(root: string, namespace: string, members: string): string {
  const name = `ns0:${root}`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns:ns0="${escapeXml(namespace)}">${members}</${name}>\n`;
}

/** An element with a value, `f-array` for a list; nothing for what is left out. */
export function toXml(name: string, type: Type, value: unknown): string {
  if (type.kind === "optional") return value === undefined ? "" : toXml(name, type.type, value);
  const tag = type.kind === "list" ? `${name}-array` : name;
  return `<${tag}>${contentOf(type, value)}</${tag}>`;
}

function contentOf(type: Type, value: unknown): string {
  assertThere(type, value);
  switch (type.kind) {
    case "struct": {
      const members = value as Record<string, unknown>;
      return Object.entries(type.fields)
        .map(([name, field]) => toXml(name, field, members[name]))
        .join("");
    }
    case "list": {
      const items = value as readonly unknown[];
      return items.map((item) => `<array-item>${contentOf(type.element, item)}</array-item>`).join("");
    }
    case "instant":
      return (value as Date).toISOString();
    default:
      return escapeXml(String(value));
  }
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\r": "&#13;",
};

/** Characters that XML 1.0 cannot say become U+FFFD. */
function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u0020-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replaceAll(/[&<>"\r]/g, (char) => escapes[char]!);
}
