import { UploadError } from "./error.js";
import { parseCount } from "./values.js";

/**
 * Throws `offset_mismatch` with the expected offset when a part that begins at `offset` would leave a gap after
 * `stored` bytes.
 */
export function assertNoGap(offset: number, stored: number, what: string): void {
  if (offset > stored) {
    throw new UploadError("offset_mismatch", `${what} has ${stored} bytes, a part at ${offset} would leave a gap`, {
      reason: "OFFSET_UNEXPECTED",
      expectedOffset: stored,
    });
  }
}

/**
 * The range [offset, end) of content that a reader asked for. Throws `invalid` (NUMBER_INVALID), or `offset_mismatch`
 * past the end.
 */
export function parseReadRange(
  input: { readonly offset?: number | undefined; readonly limit?: number | undefined },
  sizeBytes: number,
): { readonly from: number; readonly to: number } {
  const from = parseCount(input.offset ?? 0, "offset");
  if (from > sizeBytes) {
    throw new UploadError("offset_mismatch", `content has ${sizeBytes} bytes, none at ${from}`, {
      reason: "OFFSET_UNEXPECTED",
      expectedOffset: sizeBytes,
    });
  }
  const limit = input.limit === undefined ? sizeBytes : parseCount(input.limit, "limit");
  return { from, to: Math.min(sizeBytes, from + limit) };
}
