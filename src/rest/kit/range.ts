/** The bytes [offset, offset + limit). */
export interface ByteRange {
  readonly offset: number;
  readonly limit: number;
}

/**
 * Which bytes a GET asks for (RFC 9110, 14.2): one range, or `unsatisfiable` (416). Undefined means all of them: no
 * range, one that is not understood, several at once (which a server may answer so), and an `If-Range` that does not
 * name this very content by its strong ETag.
 */
export function chooseRange(
  headers: { readonly range?: string | undefined; readonly "if-range"?: string | undefined },
  content: { readonly etag: string; readonly sizeBytes: number },
): ByteRange | "unsatisfiable" | undefined {
  const condition = headers["if-range"];
  if (condition !== undefined && condition !== content.etag) return undefined;
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(headers.range ?? "");
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  const { sizeBytes } = content;
  if (first === "") {
    if (last === "") return undefined;
    const limit = Math.min(Number(last), sizeBytes);
    return limit === 0 ? "unsatisfiable" : { offset: sizeBytes - limit, limit };
  }
  const offset = Number(first);
  if (last !== "" && Number(last) < offset) return undefined;
  if (offset >= sizeBytes) return "unsatisfiable";
  const end = last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  return { offset, limit: end - offset };
}
