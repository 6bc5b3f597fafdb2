// Documents as a client's parser sees them: names with their namespaces, in the order in which they are there.
import { SaxesParser } from "saxes";

export interface XmlNode {
  /** `{namespace}local`, or the local name alone for what is in none. */
  readonly name: string;
  readonly children: readonly XmlNode[];
  /** Of an element without children; what is between elements is layout. */
  readonly text: string;
}

interface Open {
  name: string;
  children: XmlNode[];
  text: string;
}

/** Throws for what is not one well-formed document. */
export function parseXml(document: string): XmlNode {
  const top: Open = { name: "", children: [], text: "" };
  const path: Open[] = [top];
  const parser = new SaxesParser({ xmlns: true });
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ uri, local }) => {
    const node: Open = { name: uri === "" ? local : `{${uri}}${local}`, children: [], text: "" };
    path.at(-1)!.children.push(node);
    path.push(node);
  });
  parser.on("text", (text) => {
    path.at(-1)!.text += text;
  });
  parser.on("closetag", () => {
    const { name, children, text } = path.pop()!;
    const siblings = path.at(-1)!.children;
    siblings[siblings.length - 1] = { name, children, text: children.length > 0 ? "" : text };
  });
  parser.write(document).close();
  return top.children[0]!;
}

/** The element at this way down from a node; a part of it is a name, or a position in a list. */
export function elementAt(node: XmlNode, ...way: readonly (string | number)[]): XmlNode | undefined {
  const [first, ...rest] = way;
  if (first === undefined) return node;
  const next = typeof first === "number" ? node.children[first] : node.children.find(({ name }) => name === first);
  return next && elementAt(next, ...rest);
}
