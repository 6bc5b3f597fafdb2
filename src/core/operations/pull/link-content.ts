// Content that lies in the backing folder of its library: taken over by a second name for its file, not copied.
import type { Extent } from "../../attempt.js";
import { createHasher } from "../../checksum.js";
import type { CoreDeps } from "../../deps.js";
import { isUploadError } from "../../error.js";
import type { LinkedContent } from "../../file.js";
import type { FileMover } from "../../ports/file-mover.js";
import type { PulledContent } from "../../pull.js";
import { readContent } from "../../read-content.js";
import { formatSourceAddress, type SourceAddress } from "../../source-address.js";
import { SourceError } from "../../source-error.js";
import { finishContent } from "../finish-content.js";
import type { SeatedFile } from "../write-claimed.js";

export interface LinkTools {
  /** Undefined where no file can be taken over. */
  readonly mover: FileMover | undefined;
  /** Begins the content anew. */
  restart(): Promise<unknown>;
  /** Throws what says that content of this size is not what was declared. */
  assertUsable(sizeBytes: number): void;
  /** Stored before the bytes that it tells of. */
  noteFound(found: Omit<PulledContent, "attemptId">): Promise<void>;
}

/**
 * Takes the file over that the source names, hashed and verified like every other content; false where it has to be
 * copied, and nothing was done. It is the same file under two names until its session is done, so somebody may write to
 * it: what counts is that its mark is the same after the hashing as before, and again when the session completes
 * (`completeVerified`). What no mark can tell is a writer who still holds the file open when the session is done, or
 * writes through a mapping whose time comes later: then a check of the store finds the content damaged.
 */
export async function linkContent(
  deps: CoreDeps,
  seated: SeatedFile,
  tools: LinkTools,
  signal: AbortSignal,
): Promise<boolean> {
  const { file, attempt } = seated;
  const { address } = file.source!;
  if (attempt.offset > 0) return await resumeLinked(deps, seated, tools, signal);
  const { mover } = tools;
  if (mover === undefined || !(await isInBackingFolder(deps, mover, seated))) return false;
  const adopted = await deps.blobs.adoptExtent((path) => mover.linkTo(address, path));
  // There is nothing to share of an empty file.
  if (adopted === undefined || adopted.linked.sizeBytes === 0) return false;
  const { key, mark, linked } = adopted;
  const { validator, sizeBytes } = linked;
  tools.assertUsable(sizeBytes);
  await tools.noteFound({ validator, sizeBytes, mark });
  const extent = { epoch: attempt.epoch, offset: 0, length: sizeBytes, blobKey: key };
  await finishLinked(deps, seated, { extent, isCommitted: false, mark, validator }, signal);
  return true;
}

/** A try that was broken off while it hashed what it had taken over; false for one that was copying. */
async function resumeLinked(
  deps: CoreDeps,
  seated: SeatedFile,
  tools: LinkTools,
  signal: AbortSignal,
): Promise<boolean> {
  const { attempt, file } = seated;
  const { attemptId, mark, validator } = file.pull?.found ?? {};
  if (attemptId !== attempt.id || mark === undefined || validator === undefined) return false;
  const [extent] = await deps.metadata.listExtents(attempt.id);
  if (extent === undefined) throw new TypeError(`attempt ${attempt.id} has an offset and no extent`);
  if ((await readMark(deps, extent)) !== mark) {
    await tools.restart();
    throw changedError(file.source!.address);
  }
  await finishLinked(deps, seated, { extent, isCommitted: true, mark, validator }, signal);
  return true;
}

async function isInBackingFolder(deps: CoreDeps, mover: FileMover, { session, file }: SeatedFile): Promise<boolean> {
  const { scheme } = file.source!.address;
  if (session.itemId === undefined || (scheme !== "file" && scheme !== "ds")) return false;
  const folder = await findBackingFolder(deps, session.tenantId, session.itemId);
  return folder !== undefined && (await mover.liesBelow(file.source!.address, folder));
}

async function findBackingFolder(deps: CoreDeps, tenantId: string, itemId: string): Promise<string | undefined> {
  try {
    const { libraryId } = await deps.metadata.getItem(tenantId, itemId);
    return (await deps.metadata.getLibrary(tenantId, libraryId)).backingFolder;
  } catch (error) {
    if (isUploadError(error, "not_found")) return undefined;
    throw error;
  }
}

async function finishLinked(
  deps: CoreDeps,
  { session, file, attempt }: SeatedFile,
  linked: Omit<LinkedContent, "contentId"> & { readonly extent: Extent; readonly isCommitted: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { tenantId, sessionId, id: fileId } = file;
  const { extent, isCommitted, mark, validator } = linked;
  const sizeBytes = extent.length;
  const epoch = { attemptNumber: attempt.number, epoch: attempt.epoch };
  const seat = deps.seats.take({ sessionId, fileId, epoch });
  const stop = AbortSignal.any([signal, seat.signal]);
  const hasher = createHasher(file.checksums.map(({ algorithm }) => algorithm));
  try {
    await finishContent(deps, {
      ref: { tenantId, sessionId, fileId },
      origin: session.origin,
      attempt,
      file: { ...file, sizeBytes },
      sizeBytes,
      extent: isCommitted ? undefined : extent,
      checksums: [],
      unhashed: sizeBytes,
      async hash() {
        for await (const chunk of readContent(deps.blobs, [extent], 0, sizeBytes, stop)) hasher.update(chunk);
        if ((await readMark(deps, extent)) !== mark) throw changedError(file.source!.address);
        return hasher;
      },
      keepHash: () => undefined,
      async rehash(other) {
        for await (const chunk of readContent(deps.blobs, [extent], 0, sizeBytes, stop)) other.update(chunk);
      },
      linked: { mark, validator },
    });
  } finally {
    seat.leave();
  }
}

/** Undefined where the bytes are not there. */
export async function readMark(deps: CoreDeps, extent: Extent): Promise<string | undefined> {
  try {
    return await deps.blobs.readMark(extent.blobKey);
  } catch (error) {
    if (isUploadError(error, "damaged")) return undefined;
    throw error;
  }
}

export function changedError(address: SourceAddress): SourceError {
  const where = formatSourceAddress(address);
  return new SourceError("changed", `${where} was written to after it was taken over; try again when it is whole`);
}
