import { parseHeaderNumber } from "./header-number.js";
import { HttpProblem } from "./problem.js";
import type { WireRequest } from "./wire.js";

/**
 * How long the body says it is. Undefined: it is chunked, and its last chunk tells a whole one from a cut one. HTTP/2
 * has nothing that does, so it has to say it: throws `HttpProblem` 411 (P11), and 415 for a coding.
 */
export function announcedLength({
  headers,
  httpVersion,
}: Pick<WireRequest, "headers" | "httpVersion">): number | "none" | undefined {
  refuseCodings(headers);
  if (headers["content-length"] !== undefined) return parseHeaderNumber(headers["content-length"], "Content-Length");
  if (httpVersion === "2") throw new HttpProblem(411, "over HTTP/2 the length of a body has to be announced");
  return headers["transfer-encoding"] === undefined ? "none" : undefined;
}

/** Throws `HttpProblem` 415 where a body is anything but its own bytes. */
export function refuseCodings(headers: WireRequest["headers"]): void {
  const coding = headers["content-encoding"] ?? "identity";
  const transfer = headers["transfer-encoding"] ?? "chunked";
  if (coding.toLowerCase() !== "identity" || transfer.toLowerCase() !== "chunked") {
    throw new HttpProblem(415, "content is taken as it is, without a coding", { "accept-encoding": "identity" });
  }
}
