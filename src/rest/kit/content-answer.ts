// Content as the answer to a GET or a HEAD: all of it, or the range that was asked for.
import { type Content, type ReadResult, sha256Of } from "../../core/index.js";
import { beginBody } from "./begin-body.js";
import { contentHeaders } from "./content-headers.js";
import { HttpProblem } from "./problem.js";
import { type ByteRange, chooseRange } from "./range.js";
import type { WireRequest, WireResponse } from "./wire.js";

/**
 * `read` is told by its parameter which bytes of the content that it finds are wanted, and finds them. The first of them
 * is at hand when this answers, so that lost bytes are an error and no download that breaks. Throws `HttpProblem` 416.
 */
export async function answerContent(
  { method, headers, signal }: Pick<WireRequest, "method" | "headers" | "signal">,
  read: (
    choose: (content: Content) => ByteRange,
  ) => Promise<ReadResult<{ readonly name: string; readonly mediaType: string }>>,
): Promise<WireResponse> {
  const chosen: { content?: Content; range?: ByteRange | undefined } = {};
  const { file, from, to, body } = await read((content) => {
    const { sizeBytes } = content;
    // RFC 9110, 14.2: a range is for GET alone.
    const range = method === "HEAD" ? undefined : chooseRange(headers, { etag: etagOf(content), sizeBytes });
    if (range === "unsatisfiable") {
      throw new HttpProblem(416, `there are ${sizeBytes} bytes`, { "content-range": `bytes */${sizeBytes}` });
    }
    chosen.content = content;
    chosen.range = range;
    return range ?? { offset: 0, limit: sizeBytes };
  });
  const { content, range } = chosen;
  if (content === undefined) throw new TypeError("content was read that nobody chose from");
  return {
    status: range ? 206 : 200,
    headers: {
      ...contentHeaders(file),
      "content-length": String(to - from),
      ...(range && { "content-range": `bytes ${from}-${to - 1}/${content.sizeBytes}` }),
      "accept-ranges": "bytes",
      etag: etagOf(content),
      "cache-control": "private, no-cache",
    },
    body: method === "HEAD" ? body : await beginBody(body, signal),
  };
}

/** Strong: content with the same one is the same. */
export function etagOf(content: Content): string {
  return `"${sha256Of(content)}"`;
}
