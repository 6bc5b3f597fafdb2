// One input of an operation, written by hand in each way that a request can carry it.
import type { VsphereAsk } from "../../support/vsphere.js";

export type Input = { readonly [name: string]: InputValue };
type InputValue = string | number | boolean | Input | readonly InputValue[];

/** Parameters are in the query, a form has the same pairs in its body. */
export type Carrier = "JSON" | "XML" | "parameters" | "a form";

export const carriers: readonly Carrier[] = ["JSON", "XML", "parameters", "a form"];

export interface OperationName {
  /** `Create`. */
  readonly name: string;
  /** `content/library/item/update_session`. */
  readonly service: string;
}

export interface Carried extends VsphereAsk {
  readonly path: string;
}

/** The path with what it has to carry, and the rest of the request. */
export function carry(carrier: Carrier, path: string, input: Input, operation: OperationName): Carried {
  switch (carrier) {
    case "JSON":
      return { path, body: JSON.stringify(input), headers: { "content-type": "application/json" } };
    case "XML":
      return { path, body: documentOf(input, operation), headers: { "content-type": "application/xml" } };
    case "a form": {
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      return { path, body: pairsOf(input).join("&"), headers };
    }
    case "parameters": {
      const pairs = pairsOf(input);
      return { path: pairs.length === 0 ? path : `${path}${path.includes("?") ? "&" : "?"}${pairs.join("&")}` };
    }
  }
}

function documentOf(input: Input, { name, service }: OperationName): string {
  return `<?xml version="1.0" ?><i:${name}-Input xmlns:i="http://vmware.com/${service}">${elementsOf(input)}</i:${name}-Input>`;
}

function elementsOf(value: InputValue): string {
  if (typeof value !== "object") return String(value).replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return Object.entries(value)
    .map(([name, member]: [string, InputValue]) => {
      if (!Array.isArray(member)) return `<${name}>${elementsOf(member)}</${name}>`;
      const items = member.map((item) => `<array-item>${elementsOf(item)}</array-item>`);
      return `<${name}-array>${items.join("")}</${name}-array>`;
    })
    .join("");
}

function pairsOf(value: InputValue, path = ""): readonly string[] {
  if (typeof value !== "object") return [`${path}=${encodeURIComponent(String(value))}`];
  const parts = Array.isArray(value) ? value.map((item, at) => [at + 1, item] as const) : Object.entries(value);
  return parts.flatMap(([name, part]) => pairsOf(part, path === "" ? String(name) : `${path}.${name}`));
}
