import type { WireRequest } from "../kit/index.js";
import { FolioRefusal } from "./errors.js";
import type { FolioFacts } from "./facts.js";

const usual = "application/json";

/**
 * Throws 400, where other APIs say 415 and 406: for a body of another media type than the row takes (none said is
 * `application/json`), and where the client takes none of the types that an answer may have.
 */
export function assertMediaTypes({ headers }: Pick<WireRequest, "headers">, facts: FolioFacts): void {
  const { consumes, produces } = facts;
  const sent = essenceOf(headers["content-type"] ?? usual);
  if (consumes !== undefined && sent.toLowerCase() !== consumes) {
    throw new FolioRefusal(400, `Content-type header must be ${JSON.stringify([consumes])} but it is "${sent}"`);
  }
  const { accept } = headers;
  if (produces === undefined || accept === undefined) return;
  const taken = accept.split(",").map(essenceOf);
  if (taken.some((range) => range === "*/*" || produces.includes(range.toLowerCase()))) return;
  const offer = JSON.stringify(produces);
  throw new FolioRefusal(
    400,
    `Accept header must be ${offer} for this request, but it is "${accept}", can not send */*`,
  );
}

/** The media type without its parameters. */
function essenceOf(text: string): string {
  return (text.split(";")[0] ?? "").trim();
}
