import { invalid } from "../../core/index.js";
import { parseHeaderNumber } from "./header-number.js";

/**
 * `Content-Range` of a request (RFC 9110, 14.4 and 14.5). `part`: the bytes [offset, offset + lengthBytes) are sent, of
 * `sizeBytes` if that is said. `none`: no bytes are sent (`bytes *` + `/T`), which asks or tells something about the whole.
 */
export type ContentRange =
  | {
      readonly kind: "part";
      readonly offset: number;
      readonly lengthBytes: number;
      readonly sizeBytes: number | undefined;
    }
  | { readonly kind: "none"; readonly sizeBytes: number };

/** Strict: one space, bytes, an end that is not before its start, inside the size. Throws `invalid` (NUMBER_INVALID). */
export function parseContentRange(text: string): ContentRange {
  const match = /^bytes (?:(\d+)-(\d+)\/(\d+|\*)|\*\/(\d+))$/i.exec(text);
  if (match === null) throw malformed(text);
  const [, first, last, size = "*", wanted] = match;
  if (wanted !== undefined) return { kind: "none", sizeBytes: parseHeaderNumber(wanted, "Content-Range") };
  const offset = parseHeaderNumber(first ?? "", "Content-Range");
  const end = parseHeaderNumber(last ?? "", "Content-Range");
  const sizeBytes = size === "*" ? undefined : parseHeaderNumber(size, "Content-Range");
  if (end < offset || (sizeBytes !== undefined && end >= sizeBytes)) throw malformed(text);
  return { kind: "part", offset, lengthBytes: end - offset + 1, sizeBytes };
}

function malformed(text: string): Error {
  const form = "bytes FIRST-LAST/SIZE, with * for a size that is not known";
  return invalid("NUMBER_INVALID", `Content-Range must be ${form}, not ${JSON.stringify(text.slice(0, 80))}`);
}
