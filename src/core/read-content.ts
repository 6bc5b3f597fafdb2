import type { Extent } from "./attempt.js";
import type { BlobStore } from "./ports/blob-store.js";

/**
 * The bytes [from, to) of content that consists of `extents` (by offset, without gap), in order. The chunks belong to
 * the reader.
 */
export async function* readContent(
  blobs: BlobStore,
  extents: readonly Extent[],
  from: number,
  to: number,
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  let at = from;
  for (const extent of extents) {
    const end = extent.offset + extent.length;
    if (end <= at) continue;
    if (at >= to) break;
    if (extent.offset > at) throw new TypeError(`no extent has the bytes from ${at} to ${extent.offset}`);
    const until = Math.min(end, to);
    yield* blobs.read(extent.blobKey, at - extent.offset, until - at, signal);
    at = until;
  }
  if (at < to) throw new TypeError(`the extents end at ${at}, before ${to}`);
}
