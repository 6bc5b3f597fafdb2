import type { Extent } from "../../attempt.js";
import type { BlobKey } from "../../blob.js";
import { type Checksum, createHasher } from "../../checksum.js";
import { isUploadError, UploadError } from "../../error.js";
import type { CheckRun, Steps } from "./check-run.js";

/** Some bytes that a row names, and what they should hash to. */
export interface NamedBytes {
  /** By offset, without gap. */
  readonly extents: readonly Extent[];
  /** Undefined while they are on their way. */
  readonly expected: Checksum | undefined;
}

/** What is wrong with them: the first thing. */
export interface Fault {
  readonly kind: "content_damaged" | "bytes_missing";
  /** Undefined where no single extent is to blame. */
  readonly extent: Extent | undefined;
  readonly actual: Checksum | undefined;
  /** Completes a sentence: `content 1b2c: <what>`. */
  readonly what: string;
}

/** Those of the keys whose bytes lie in the trash. */
export async function findTrashed(run: CheckRun, extents: readonly Extent[]): Promise<readonly Extent[]> {
  const trashed: Extent[] = [];
  for (const extent of extents) {
    run.signal?.throwIfAborted();
    if ((await run.deps.blobs.findBytes(extent.blobKey))?.place === "trash") trashed.push(extent);
  }
  return trashed;
}

/** Looks whether all of the bytes are there and, unless content is skipped, reads and hashes them. */
export async function* findFault(run: CheckRun, bytes: NamedBytes): Steps<Fault | undefined> {
  for (const extent of bytes.extents) {
    yield* run.tick();
    const missing = await findMissing(run, extent);
    if (missing !== undefined) return missing;
    if (run.skipContent) run.counts.bytes += extent.length;
  }
  return run.skipContent ? undefined : yield* findDamage(run, bytes);
}

async function findMissing(run: CheckRun, extent: Extent): Promise<Fault | undefined> {
  const { blobKey, length } = extent;
  const stored = await run.deps.blobs.findBytes(blobKey);
  if (stored !== undefined && stored.sizeBytes >= length) return undefined;
  const what =
    stored === undefined
      ? `the bytes ${blobKey} are not there`
      : `the bytes ${blobKey} end after ${stored.sizeBytes} of ${length}`;
  return { kind: "bytes_missing", extent, actual: undefined, what };
}

async function* findDamage(run: CheckRun, { extents, expected }: NamedBytes): Steps<Fault | undefined> {
  const hasher = expected && createHasher([expected.algorithm]);
  for (const extent of extents) {
    try {
      for await (const chunk of run.deps.blobs.read(extent.blobKey, 0, extent.length, run.signal)) {
        hasher?.update(chunk);
        run.counts.bytes += chunk.length;
        yield* run.tick();
      }
    } catch (error) {
      if (!isUploadError(error, "damaged")) throw nameBytes(error, extent);
      const missing = await findMissing(run, extent);
      return missing ?? { kind: "content_damaged", extent, actual: undefined, what: error.message };
    }
  }
  const actual = hasher?.digests().find(({ algorithm }) => algorithm === expected?.algorithm);
  if (actual?.value === expected?.value) return undefined;
  const extent = extents.length === 1 ? extents[0] : undefined;
  const bytes =
    extent === undefined ? `the bytes of its ${extents.length} extents together` : `the bytes ${extent.blobKey}`;
  const what = `${bytes} have the ${expected?.algorithm} ${actual?.value} instead of ${expected?.value}`;
  return { kind: "content_damaged", extent, actual, what };
}

/** A medium that fails at the same bytes again and again has one bad place: whoever looks after it must know which. */
function nameBytes(error: unknown, { blobKey }: Extent): unknown {
  if (!isUploadError(error, "unavailable")) return error;
  return new UploadError(error.code, `the bytes ${blobKey} cannot be read: ${error.message}`, error.details, error);
}

export function keysOf(extents: readonly Extent[]): readonly BlobKey[] {
  return extents.map(({ blobKey }) => blobKey);
}
