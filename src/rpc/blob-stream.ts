import type { UploadBlobsRequest } from "../../gen/slipway/upload/v1/blob_service_pb.js";
import { type BlobInput, invalid } from "../core/index.js";
import { parseRef } from "./blob-messages.js";

/**
 * Takes a client stream apart into its blobs. The body of each must have been read before the next one is asked for. A
 * stream that ends where a blob says that more of it comes has not finished that blob: a cancelled one ends just the
 * same (P11). `use` is called for every message, and what it throws ends the stream there.
 */
export async function* blobsOf(
  requests: AsyncIterable<UploadBlobsRequest>,
  use: () => void,
): AsyncGenerator<BlobInput, void> {
  const iterator = requests[Symbol.asyncIterator]();
  try {
    for (;;) {
      const first = await iterator.next();
      if (first.done === true) return;
      use();
      const { ref, data, more } = first.value;
      const expected = ref && { ref: parseRef(ref) };
      yield more
        ? { ...expected, body: bodyOf(first.value, iterator, use) }
        : { ...expected, body: once(data), lengthBytes: data.length };
    }
  } finally {
    iterator.return?.().catch(() => undefined);
  }
}

async function* bodyOf(
  first: UploadBlobsRequest,
  rest: AsyncIterator<UploadBlobsRequest>,
  use: () => void,
): AsyncGenerator<Uint8Array, void> {
  yield first.data;
  for (;;) {
    const { done, value } = await rest.next();
    if (done === true) throw invalid("STREAM_ORDER", "the stream ended in the middle of a blob");
    use();
    if (value.ref !== undefined) throw invalid("STREAM_ORDER", "a message that goes on with a blob has a ref");
    yield value.data;
    if (!value.more) return;
  }
}

async function* once(data: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield data;
}
