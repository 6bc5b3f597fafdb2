// What the head of an answer says of the content that follows.
import { type SourcePosition, SourceError } from "../core/index.js";
import type { Answer } from "./exchange.js";

/** What an answer announces: a run of bytes of the whole content. */
export interface Announced {
  readonly offset: number;
  /** Of the whole content. */
  readonly sizeBytes: number | undefined;
  /** Of this answer; undefined where only its end tells. */
  readonly lengthBytes: number | undefined;
  readonly hasEnd: boolean;
  readonly validator: string | undefined;
}

/** What a 200 announces. Throws `response_invalid` for content in another form than its own bytes. */
export function readWhole(answer: Answer, where: string): Announced {
  assertPlain(answer, where);
  const sizeBytes = readLength(answer, where);
  return {
    offset: 0,
    sizeBytes,
    lengthBytes: sizeBytes,
    hasEnd: sizeBytes !== undefined || isChunked(answer),
    validator: readValidator(answer),
  };
}

/**
 * What a 206 to a request for everything from `asked` on announces; undefined where it does not prove that it is the
 * content of before. Throws `response_invalid` where its range is not the one that was asked for.
 */
export function readRange(answer: Answer, asked: number, from: SourcePosition, where: string): Announced | undefined {
  assertPlain(answer, where);
  const range = answer.header("content-range") ?? "";
  const [, first = -1, last = -1, total = -1] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(range)?.map(Number) ?? [];
  const sizeBytes = Number.isNaN(total) ? from.sizeBytes : total;
  const fits = first === asked && last >= first && last < (sizeBytes ?? Number.MAX_SAFE_INTEGER);
  const lengthBytes = last - first + 1;
  if (!fits || lengthBytes !== (readLength(answer, where) ?? lengthBytes)) {
    throw invalid(`${where} answered with other bytes (${JSON.stringify(range.slice(0, 100))}) than asked for`, asked);
  }
  const isSame = [answer.header("etag"), answer.header("last-modified")].includes(from.validator);
  if (!isSame || (from.sizeBytes !== undefined && from.sizeBytes !== sizeBytes)) return undefined;
  return { offset: asked, sizeBytes, lengthBytes, hasEnd: sizeBytes !== undefined, validator: from.validator };
}

/**
 * A strong ETag, else a Last-Modified that is a second older than the answer (RFC 9110, 8.8.2.2): whatever If-Range may
 * carry. Undefined where neither is there.
 */
function readValidator(answer: Answer): string | undefined {
  const etag = answer.header("etag") ?? "";
  if (/^"[!\x23-\x7e]{1,1000}"$/.test(etag)) return etag;
  const modified = answer.header("last-modified");
  const agesMs = Date.parse(answer.header("date") ?? "") - Date.parse(modified ?? "");
  return agesMs >= 1000 ? modified : undefined;
}

function assertPlain(answer: Answer, where: string): void {
  const content = answer.header("content-encoding") ?? "identity";
  const transfer = answer.header("transfer-encoding") ?? "chunked";
  if (content.toLowerCase() === "identity" && transfer.toLowerCase() === "chunked") return;
  const shown = JSON.stringify((content.toLowerCase() === "identity" ? transfer : content).slice(0, 100));
  throw new SourceError(
    "response_invalid",
    `${where} sends its content encoded as ${shown} although only the plain bytes were asked for; give an address that does not`,
  );
}

function readLength(answer: Answer, where: string): number | undefined {
  const text = answer.header("content-length");
  if (text === undefined || isChunked(answer)) return undefined;
  const length = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(length)) return length;
  throw new SourceError("response_invalid", `${where} announces a length that is no size: ${text.slice(0, 100)}`);
}

function isChunked(answer: Answer): boolean {
  return answer.header("transfer-encoding") !== undefined;
}

function invalid(what: string, asked: number): SourceError {
  return new SourceError("response_invalid", `${what}, which begin at ${asked}; the server has to keep to RFC 9110`);
}
