// Which part of a file a request carries: read from its headers alone, so that what is wrong is refused before the body.
import { invalid, type PartInput } from "../../core/index.js";
import { announcedLength } from "./announced-length.js";
import { parseContentRange } from "./content-range.js";
import { parseDigestField } from "./digest-fields.js";
import { parseHeaderNumber } from "./header-number.js";
import { HttpProblem } from "./problem.js";
import type { WireRequest } from "./wire.js";

type Part = Omit<PartInput, "sessionId" | "fileId" | "body">;

/** PUT and POST: the whole content, whatever its type, or with `Content-Range` a part of it. */
export function parseWholePart(request: WireRequest): Part {
  const { headers } = request;
  const lengthBytes = announcedLength(request);
  // Words of another method: taking a part for the whole would be the worst that can be done to it.
  if (headers["upload-offset"] !== undefined || parseComplete(headers["upload-complete"]) === false) {
    throw new HttpProblem(
      400,
      `${request.method} sends all of the content; a part goes by PATCH, or with Content-Range`,
    );
  }
  if (headers["content-range"] !== undefined) return parseRangedPart(headers["content-range"], request, lengthBytes);
  if (lengthBytes === "none") throw new HttpProblem(411, "the content's length is not announced");
  return { offset: 0, lengthBytes, sizeBytes: lengthBytes, ...digestsOf(request, true) };
}

function parseRangedPart(text: string, request: WireRequest, announced: number | "none" | undefined): Part {
  const range = parseContentRange(text);
  if (range.kind === "none") throw invalid("NUMBER_INVALID", `Content-Range names no bytes: ${JSON.stringify(text)}`);
  const { offset, lengthBytes, sizeBytes } = range;
  if (announced !== undefined && announced !== lengthBytes) {
    throw invalid("NUMBER_INVALID", `Content-Range is about ${lengthBytes} bytes, the body has ${announced}`);
  }
  return { offset, lengthBytes, sizeBytes, ...digestsOf(request, false) };
}

const partTypes = ["application/partial-upload", "application/offset+octet-stream", "application/octet-stream"];

/** PATCH: a part at `Upload-Offset`, as "Resumable Uploads for HTTP" appends it. */
export function parseAppendedPart(request: WireRequest): Part {
  const { headers } = request;
  const type = (headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase();
  if (!partTypes.includes(type)) {
    throw new HttpProblem(415, `a part is ${partTypes.join(" or ")}`, { "accept-patch": partTypes.join(", ") });
  }
  if (headers["upload-offset"] === undefined) throw invalid("NUMBER_INVALID", "Upload-Offset is missing");
  const offset = parseHeaderNumber(headers["upload-offset"], "Upload-Offset");
  const complete = parseComplete(headers["upload-complete"]) ?? false;
  const announced = announcedLength(request);
  const lengthBytes = announced === "none" ? 0 : announced;
  const stated = headers["upload-length"];
  const end = complete && lengthBytes !== undefined ? offset + lengthBytes : undefined;
  const sizeBytes = stated === undefined ? end : parseHeaderNumber(stated, "Upload-Length");
  if (end !== undefined && end !== sizeBytes) {
    throw invalid("SIZE_DIFFERS", `Upload-Length is ${sizeBytes}, the last part ends at ${end}`);
  }
  return { offset, lengthBytes, sizeBytes, ...digestsOf(request, complete) };
}

/** A boolean of RFC 9651. */
function parseComplete(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (text !== "?1" && text !== "?0") throw new HttpProblem(400, "Upload-Complete must be ?1 or ?0");
  return text === "?1";
}

/** What the part alone must hash to (it is all or nothing then), and what the whole must, once it is whole. */
function digestsOf({ headers }: WireRequest, finish: boolean): Pick<PartInput, "checksum" | "ending"> {
  const part = headers["content-digest"];
  const whole = headers["repr-digest"];
  const checksums = whole === undefined ? [] : parseDigestField(whole, "Repr-Digest");
  // The strongest one is enough.
  const checksum = part === undefined ? undefined : parseDigestField(part, "Content-Digest").reduce(longer);
  return { checksum, ending: () => ({ finish, checksums }) };
}

function longer<T extends { readonly value: string }>(a: T, b: T): T {
  return b.value.length > a.value.length ? b : a;
}
