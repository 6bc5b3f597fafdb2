import type { Extent } from "../../attempt.js";
import { type BlobKey, smallContentBytes } from "../../blob.js";
import { createHasher } from "../../checksum.js";
import { isUploadError } from "../../error.js";
import type { BlobPlace } from "../../ports/blob-index.js";
import { readContent } from "../../read-content.js";
import { trashUnnamed } from "../sweep.js";
import type { CheckRun, Steps } from "./check-run.js";

/** Content by what it is, wherever it lies. */
export interface WantedBytes {
  readonly tenantId: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

const mostCopies = 20;

/**
 * Writes the bytes anew from a copy that is sound, and answers their durable key; undefined when there is no such copy
 * in the tenant. `isDamaged` tells the places that are not to be tried.
 */
export async function* copyFromSound(
  run: CheckRun,
  wanted: WantedBytes,
  isDamaged: (place: BlobPlace) => boolean,
): Steps<BlobKey | undefined> {
  const places = await run.deps.metadata.listCopies({ ...wanted, limit: mostCopies });
  for (const place of places) {
    if (place.kind === "nowhere" || isDamaged(place)) continue;
    const key = yield* copyFrom(run, wanted, place);
    if (key !== undefined) return key;
  }
  return undefined;
}

async function* copyFrom(
  run: CheckRun,
  { sha256, sizeBytes }: WantedBytes,
  place: Exclude<BlobPlace, { kind: "nowhere" }>,
): Steps<BlobKey | undefined> {
  const { blobs, metadata } = run.deps;
  const extents =
    place.kind === "key"
      ? [{ epoch: 1, offset: 0, length: sizeBytes, blobKey: place.blobKey }]
      : await metadata.listExtents(place.contentId);
  if (!hasAllPlaces(extents, sizeBytes)) return undefined;
  const hasher = createHasher([]);
  const isSound = () =>
    hasher.offset === sizeBytes &&
    hasher.digests().some(({ algorithm, value }) => algorithm === "sha256" && value === sha256);
  const isSmall = sizeBytes <= smallContentBytes;
  const held: Uint8Array[] = [];
  const extent = isSmall ? undefined : await blobs.createExtent();
  try {
    for await (const chunk of readContent(blobs, extents, 0, sizeBytes, run.signal)) {
      hasher.update(chunk);
      run.counts.bytes += chunk.length;
      if (extent === undefined) held.push(chunk);
      else await extent.write([chunk]);
      yield* run.tick();
    }
    if (!isSound()) return undefined;
    if (extent === undefined) return await blobs.putSmall(held);
    await extent.sync();
    return extent.key;
  } catch (error) {
    if (isUploadError(error, "damaged")) return undefined;
    throw error;
  } finally {
    await extent?.close();
    if (extent !== undefined && !isSound()) await trashUnnamed(run.deps, [extent.key]);
  }
}

/** Content that lacks some is a finding of its own. */
function hasAllPlaces(extents: readonly Extent[], sizeBytes: number): boolean {
  let end = 0;
  for (const { offset, length } of extents) {
    if (offset !== end) return false;
    end += length;
  }
  return end === sizeBytes;
}
