// What a PUT says in its head: decided from there alone, before anything of the body is read.
import type { Checksum } from "../../../core/index.js";
import { announcedLength, type WireRequest } from "../../kit/index.js";
import { ImisError } from "../errors.js";
import { readPartDigest } from "./digests.js";
import { lengthInconsistent } from "./refusals.js";

/** `probe` sends nothing and asks how far the content is. */
export type ContentPart =
  | { readonly kind: "probe"; readonly sizeBytes: number }
  | {
      readonly kind: "part";
      readonly offset: number;
      readonly lengthBytes: number;
      /** Of the whole, where it is said. */
      readonly sizeBytes: number | undefined;
      /** What the part alone must hash to, which makes it all or nothing. */
      readonly checksum: Checksum | undefined;
    };

type Head = Pick<WireRequest, "headers" | "httpVersion">;

// IMiS and OCI name no unit, HTTP does, and some say it as requests for ranges do.
const partForm = /^(?:bytes[ =])?(\d{1,16})-(\d{1,16})(?:\/(\d{1,16}|\*))?$/i;
const probeForm = /^(?:bytes )?\*\/(\d{1,16})$/i;

/**
 * The end of a range is the position of its last byte. Throws `content_range_required`, `content_range_invalid`,
 * `length_inconsistent`, `content_length_mismatch`, `digest_invalid`; and `HttpProblem` 411 for HTTP/2 without a length, 415 for a coding.
 */
export function readPart(request: Head): ContentPart {
  const field = request.headers["content-range"];
  if (field === undefined) {
    const told = "Content-Range is missing: a part says which bytes it has, such as 0-1023";
    throw new ImisError("content_range_required", told);
  }
  const text = field.trim();
  const [, wanted] = probeForm.exec(text) ?? [];
  if (wanted !== undefined) return readProbe(request, readNumber(wanted, text));
  const [, first, last, size = "*"] = partForm.exec(text) ?? [];
  if (first === undefined || last === undefined) throw rangeInvalid(text, "must be FIRST-LAST, such as 0-1023");
  const offset = readNumber(first, text);
  const end = readNumber(last, text);
  const sizeBytes = size === "*" ? undefined : readNumber(size, text);
  if (end < offset) throw rangeInvalid(text, "ends before it begins");
  if (sizeBytes !== undefined && end >= sizeBytes) {
    throw lengthInconsistent(`the part ends at ${end + 1}, the whole has ${sizeBytes} bytes`, { declared: sizeBytes });
  }
  assertLength(request, offset, end);
  return { kind: "part", offset, lengthBytes: end - offset + 1, sizeBytes, checksum: readPartDigest(request.headers) };
}

/** Nothing comes of it, so that over HTTP/2 nobody needs to say how long its body is. */
function readProbe({ headers }: Head, sizeBytes: number): ContentPart {
  const { "content-length": announced = "0", "transfer-encoding": transfer } = headers;
  if (transfer !== undefined || !/^0+$/.test(announced)) {
    throw new ImisError("content_length_mismatch", "a Content-Range that names no bytes goes without a body");
  }
  return { kind: "probe", sizeBytes };
}

function assertLength(request: Head, offset: number, end: number): void {
  const announced = announcedLength(request);
  const length = announced === "none" ? 0 : announced;
  const expected = end - offset + 1;
  if (length === undefined || length === expected) return;
  const exclusive = length > 0 && length === end - offset;
  const hint = exclusive ? `; a range ends with the position of its last byte: ${offset}-${end - 1}` : "";
  const told = `Content-Range is about ${expected} bytes, Content-Length is ${length}${hint}`;
  throw new ImisError("content_length_mismatch", told, { range_length: expected, content_length: length });
}

function readNumber(digits: string, text: string): number {
  const value = Number(digits);
  if (!Number.isSafeInteger(value)) throw rangeInvalid(text, "has a number over 2^53-1");
  return value;
}

function rangeInvalid(text: string, why: string): ImisError {
  return new ImisError("content_range_invalid", `Content-Range ${why}: ${JSON.stringify(text.slice(0, 80))}`);
}
