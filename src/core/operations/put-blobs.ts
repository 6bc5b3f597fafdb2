import { assertPermission, type Call } from "../call.js";
import type { CoreDeps } from "../deps.js";
import { isUploadError } from "../error.js";
import { assertBlobCount } from "../limits.js";
import type { StoredBlob } from "../ports/blob-index.js";
import { untilAborted } from "../until-aborted.js";
import { type BlobInput, receiveBlob } from "./receive-blob.js";

/**
 * Stores one blob and answers once it is durable (P1); `applied: false` when it was there before. Nothing is ever seen
 * of one that is cut off or is not what its ref names. Throws what `receiveBlob` throws, and `denied`.
 */
export async function putBlob(deps: CoreDeps, input: BlobInput, call: Call): Promise<StoredBlob> {
  assertPermission(call.caller, "upload");
  const share = deps.budget.join();
  try {
    const received = await receiveBlob(deps, input, share, call);
    return await received.store();
  } finally {
    share.leave();
  }
}

const mostInFlight = 64;
const mostHeldBytes = 4 * 2 ** 20;

/**
 * Stores blobs that come one after the other, and answers each once it is durable, in their order. The next ones are
 * taken in while some are being stored, as many as the stream's share of the memory allows (P10). When one is refused,
 * or the stream breaks, those before it are stored and answered, then the error comes out. Throws what `putBlob` throws,
 * and `too_many` (TOO_MANY_BLOBS).
 */
export async function* putBlobs(
  deps: CoreDeps,
  input: { readonly blobs: AsyncIterable<BlobInput> },
  call: Call,
): AsyncGenerator<StoredBlob, void> {
  assertPermission(call.caller, "upload");
  const share = deps.budget.join();
  // Half of the memory is for the blob that is coming in, half for those that wait to be stored.
  const half = { ...share, limit: () => Math.floor(share.limit() / 2) };
  const inFlight: { readonly heldBytes: number; readonly stored: Promise<StoredBlob> }[] = [];
  let heldBytes = 0;
  let count = 0;
  let failure: { readonly error: unknown } | undefined;

  const isFull = () => inFlight.length >= mostInFlight || heldBytes > Math.min(mostHeldBytes, half.limit());
  async function finishOldest(): Promise<StoredBlob> {
    const oldest = inFlight.shift()!;
    const stored = await oldest.stored;
    heldBytes -= oldest.heldBytes;
    return stored;
  }

  const source = untilAborted(input.blobs, call.signal);
  try {
    while (failure === undefined) {
      try {
        const next = await source.next();
        if (next.done === true) break;
        assertBlobCount(deps.limits, "maxStreamBlobs", ++count);
        const received = await receiveBlob(deps, next.value, half, call);
        const stored = received.store();
        stored.catch(() => undefined);
        inFlight.push({ heldBytes: received.heldBytes, stored });
        heldBytes += received.heldBytes;
      } catch (error) {
        if (isUploadError(error, "checksum_mismatch")) deps.observer.checksumFailed("blob");
        failure = { error };
      }
      while (isFull() && inFlight.length > 0) yield await finishOldest();
    }
    while (inFlight.length > 0) yield await finishOldest();
    if (failure !== undefined) throw failure.error;
  } finally {
    await source.return(undefined);
    await Promise.allSettled(inFlight.map(({ stored }) => stored));
    share.leave();
  }
}
