import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { errorInfoOf } from "../connection/rpc-error.js";

/** As many refs as one call may name, where nobody has changed that. */
const usualRefs = 1000;

/** Does the work of many refs in as few calls as the server's limit on them allows. */
export async function inBatches<T>(
  refs: readonly T[],
  work: (batch: readonly T[]) => Promise<void>,
  most = usualRefs,
): Promise<void> {
  let size = most;
  for (let at = 0; at < refs.length; ) {
    try {
      await work(refs.slice(at, at + size));
      at += size;
    } catch (error) {
      size = smallerBatch(error, size);
    }
  }
}

/** How many blobs a call may be about, as the refusal of one tells; throws any other error. */
export function smallerBatch(error: unknown, size: number): number {
  const info = errorInfoOf(error);
  const limit = info?.reason === ErrorReason.TOO_MANY_BLOBS ? Number(info.limit?.value ?? 0n) : 0;
  if (limit < 1 || limit >= size) throw error;
  return limit;
}
