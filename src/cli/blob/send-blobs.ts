import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import type { UploadClient } from "../connection/client.js";
import { callTimeoutMs } from "../connection/client.js";
import type { Retry } from "../connection/retry.js";
import { errorInfoOf } from "../connection/rpc-error.js";
import { createStallGuard } from "../connection/stall-guard.js";
import { CliError, FileError } from "../shell/cli-error.js";
import { inBatches, smallerBatch } from "./batches.js";
import { chunksOf, type LocalBlob } from "./local-blob.js";
import { formatMessageRef, formatRef, refToMessage } from "./ref.js";

const stalledMs = 120_000;

export interface SendDeps {
  readonly client: UploadClient;
  readonly retry: Retry;
  readonly signal: AbortSignal;
}

/** What became of a blob: whether it is new, or why it could not be stored. */
export type Outcome = { readonly applied: boolean } | { readonly failure: string };

type Messages = Parameters<UploadClient["blobs"]["uploadBlobs"]>[0];

/**
 * Stores blobs, many in a stream, and skips those that are there. After a lost connection only those are sent again that
 * had not arrived. What is wrong with one of them does not stop the others; answers by ref.
 */
export async function sendBlobs(deps: SendDeps, blobs: readonly LocalBlob[]): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  let left = [...new Map(blobs.map((blob) => [formatRef(blob.ref), blob])).values()];
  let most = left.length;
  let tried = false;
  const settle = (outcome: Outcome, settled: (blob: LocalBlob) => boolean) => {
    for (const blob of left.filter(settled)) outcomes.set(formatRef(blob.ref), outcome);
    left = left.filter((blob) => !outcomes.has(formatRef(blob.ref)));
  };
  const fail = (error: FileError, failed: (blob: LocalBlob) => boolean) => {
    const before = left.length;
    settle({ failure: error.message }, failed);
    if (left.length === before) throw error.cause ?? error;
  };
  while (left.length > 0) {
    try {
      const before = left.length;
      const there = await findStored(deps, left);
      // What was not there at the first look, and is now, has come by a stream whose answer was lost.
      settle({ applied: tried }, (blob) => there.has(formatRef(blob.ref)));
      if (left.length < before) deps.retry.progressed();
      tried = true;
      while (left.length > 0) {
        const sent = left.length;
        for (const [ref, applied] of await sendStream(deps, left.slice(0, most))) {
          settle({ applied }, (blob) => formatRef(blob.ref) === ref);
        }
        if (left.length === sent) throw new CliError("the server's answer names none of the blobs that were sent");
        deps.retry.progressed();
      }
    } catch (error) {
      const info = errorInfoOf(error);
      if (error instanceof BlobError) fail(error, (blob) => blob === error.blob);
      else if (info?.reason === ErrorReason.SIZE_EXCEEDED) {
        const { setting = "SLIPWAY_MAX_BLOB_BYTES", value = 0n } = info.limit ?? {};
        const sentence = `is larger than a blob may be (${setting} is ${value}): send it by \`slipway upload\``;
        fail(new FileError(sentence, error), (blob) => blob.sizeBytes > Number(value));
      } else if (info?.reason === ErrorReason.CHECKSUM_DIFFERS) {
        fail(new FileError("changed while it was read", error), (blob) => blob.ref.digest === info.declared);
      } else if (info?.reason === ErrorReason.TOO_MANY_BLOBS) most = smallerBatch(error, Math.min(most, left.length));
      else await deps.retry.pause(error);
    }
  }
  return outcomes;
}

/** What is wrong with a file here, and not with the connection. */
class BlobError extends FileError {
  readonly blob: LocalBlob;

  constructor(blob: LocalBlob, cause: FileError) {
    super(cause.message, cause);
    this.blob = blob;
  }
}

async function findStored({ client, signal }: SendDeps, blobs: readonly LocalBlob[]): Promise<ReadonlySet<string>> {
  const there = new Set<string>();
  await inBatches(blobs, async (batch) => {
    const request = { refs: batch.map(({ ref }) => refToMessage(ref)) };
    const found = await client.blobs.statBlobs(request, { signal, timeoutMs: callTimeoutMs });
    for (const { ref } of found.blobs) there.add(formatMessageRef(ref));
  });
  return there;
}

async function sendStream(
  deps: SendDeps,
  blobs: readonly LocalBlob[],
): Promise<readonly (readonly [string, boolean])[]> {
  const own: { error?: unknown } = {};
  const guard = createStallGuard(deps.signal, stalledMs);
  try {
    const answer = await guard.send(messagesOf(blobs, own), (messages) =>
      deps.client.blobs.uploadBlobs(messages, { signal: guard.signal }),
    );
    return answer.blobs.map(({ blob, applied }) => [formatMessageRef(blob?.ref), applied]);
  } catch (error) {
    // A failure of our own would come out of the call as one of the connection's.
    throw own.error ?? error;
  }
}

async function* messagesOf(blobs: readonly LocalBlob[], own: { error?: unknown }): Messages {
  for (const blob of blobs) {
    try {
      let ref: ReturnType<typeof refToMessage> | undefined = refToMessage(blob.ref);
      for await (const { data, last } of chunksOf(blob)) {
        yield { ...(ref && { ref }), data, more: !last };
        ref = undefined;
      }
    } catch (error) {
      own.error = error instanceof FileError ? new BlobError(blob, error) : error;
      throw own.error;
    }
  }
}
