// XML as a tree: names, text and nothing that grows by being read.
import { SaxesParser, type SaxesTagNS } from "saxes";
import { invalidArgument, type VapiError } from "../errors.js";

export interface XmlElement {
  readonly local: string;
  /** Empty for none. */
  readonly namespace: string;
  /** `xsi:nil="true"`. */
  readonly isNil: boolean;
  /** All text right in it. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

const maxDepth = 32;
const maxElements = 10_000;
const maxAttributes = 10_000;
/** What is read at a stretch (characters): others have their turn in between. */
const pieceLength = 2 ** 16;
const instanceNamespace = "http://www.w3.org/2001/XMLSchema-instance";

/**
 * The root of a document; throws `invalid_argument` for one that is not well formed, is nested deeper than 32 levels, has
 * more than 10,000 elements or attributes, or a document type: there are no entities but the five of XML.
 */
export async function parseXml(text: string): Promise<XmlElement> {
  const parser = new SaxesParser({ xmlns: true, defaultXMLVersion: "1.0", forceXMLVersion: true });
  // The library's own table inherits names from every object: `&constructor;` would be one of them.
  parser.ENTITIES = Object.assign(Object.create(null), { amp: "&", gt: ">", lt: "<", quot: '"', apos: "'" });
  const open: Building[] = [];
  let root: Building | undefined;
  let elements = 0;
  let attributes = 0;
  parser.on("error", (error) => {
    throw refuse(error.message.replaceAll(/[\s\p{C}]+/gu, " ").slice(0, 200));
  });
  parser.on("doctype", () => {
    throw refuse("a document type is not taken");
  });
  parser.on("opentagstart", () => {
    if (open.length >= maxDepth) throw refuse(`elements are nested deeper than ${maxDepth} levels`);
    if (++elements > maxElements) throw refuse(`there are more than ${maxElements} elements`);
  });
  parser.on("attribute", () => {
    if (++attributes > maxAttributes) throw refuse(`there are more than ${maxAttributes} attributes`);
  });
  parser.on("opentag", (tag) => {
    const element = begin(tag);
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on("closetag", () => {
    open.pop();
  });
  const addText = (piece: string) => {
    const element = open.at(-1);
    if (element !== undefined) element.text += piece;
  };
  parser.on("text", addText);
  parser.on("cdata", addText);
  for (let at = 0; at < text.length; at += pieceLength) {
    if (at > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    parser.write(text.slice(at, at + pieceLength));
  }
  parser.close();
  if (root === undefined) throw refuse("there is no element");
  return root;
}

interface Building extends XmlElement {
  text: string;
  readonly children: Building[];
}

function begin({ local, uri: namespace, attributes }: SaxesTagNS): Building {
  const nil = Object.values(attributes).find((one) => one.local === "nil" && one.uri === instanceNamespace);
  const isNil = nil !== undefined && ["true", "1"].includes(nil.value.trim());
  return { local, namespace, isNil, text: "", children: [] };
}

function refuse(why: string): VapiError {
  return invalidArgument("xml_invalid", `the body is no XML that is taken: ${why}`);
}
