import { pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";
import type { WireResponse } from "../rest/kit/index.js";
import { takesGzip } from "./accept-encoding.js";

/** Less is not worth it. */
const leastBytes = 1_024;

/**
 * The answer as this client gets it: compressed if the answer may be, and the client takes that. Its length is not known
 * then. Nothing is done before somebody reads it.
 */
export function compressAnswer(answer: WireResponse, acceptEncoding: string | undefined): WireResponse {
  const { headers, body } = answer;
  if (answer.compressible !== true || body === undefined || headers["content-encoding"] !== undefined) return answer;
  const vary = headers.vary === undefined ? "Accept-Encoding" : `${headers.vary}, Accept-Encoding`;
  const varied: WireResponse = { ...answer, headers: { ...headers, vary } };
  const isWhole = typeof body === "string" || body instanceof Uint8Array;
  const isSmall = isWhole && Buffer.byteLength(body) < leastBytes;
  // A range is one of the bytes as they are.
  if (isSmall || headers["content-range"] !== undefined || !takesGzip(acceptEncoding)) return varied;
  const { "content-length": _, etag, ...kept } = varied.headers;
  return {
    ...answer,
    headers: { ...kept, "content-encoding": "gzip", ...(typeof etag === "string" && { etag: weaken(etag) }) },
    body: gzipped(isWhole ? [Buffer.from(body)] : body),
  };
}

/** Other bytes must not have the same strong validator (RFC 9110, 8.8.1). */
function weaken(etag: string): string {
  return etag.startsWith("W/") ? etag : `W/${etag}`;
}

async function* gzipped(bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  // What goes wrong at either end comes out here.
  yield* pipeline(Readable.from(bytes), createGzip(), () => undefined) as AsyncIterable<Uint8Array>;
}
