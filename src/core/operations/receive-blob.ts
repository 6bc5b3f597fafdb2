import { type BlobRef, type BlobRefInput, parseBlobRef, smallContentBytes } from "../blob.js";
import { type BodyReader, createBodyReader } from "../body-reader.js";
import type { BufferShare } from "../buffer-budget.js";
import type { Call } from "../call.js";
import { assertChecksums, createHasher } from "../checksum.js";
import type { CoreDeps } from "../deps.js";
import { UploadError } from "../error.js";
import { createHashFollower } from "../hash-follower.js";
import { assertBlobSize } from "../limits.js";
import type { StoredBlob } from "../ports/blob-index.js";
import { parseCount } from "../values.js";
import { createAppender } from "./append-content.js";

export interface BlobInput {
  /** What the blob is expected to be; without it SHA-256 names it, unchecked. */
  readonly ref?: BlobRefInput | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** How many bytes the sender means to send: a body that ends elsewhere was cut, whatever its end looks like (P11). */
  readonly lengthBytes?: number | undefined;
}

/** A blob of which every byte has come and is what its ref names. Nobody sees it yet. */
export interface ReceivedBlob {
  /** What of it waits in memory (bytes). */
  readonly heldBytes: number;
  /** Makes it durable and visible, unless it was there before; to be called once. */
  store(): Promise<StoredBlob>;
}

/**
 * Takes a blob in: hashes it as it comes, keeps what is small in memory and moves what is large to the medium. One that
 * is there already is checked all the same, and written nowhere. Throws `unsupported`, `invalid`, `too_large`,
 * `checksum_mismatch`, `unavailable`, and whatever the body throws.
 */
export async function receiveBlob(
  deps: CoreDeps,
  input: BlobInput,
  share: BufferShare,
  call: Call,
): Promise<ReceivedBlob> {
  const { blobs, committer, limits, observer } = deps;
  const { tenantId } = call.caller;
  const expected = input.ref && parseBlobRef(input.ref);
  assertBlobSize(limits, parseCount(input.lengthBytes ?? 0, "length"));
  const looking = expected && committer.find({ tenantId, ref: expected });
  looking?.catch(() => undefined);
  const hasher = createHasher(expected ? [expected.algorithm] : []);
  const appender = createAppender({
    blobs,
    limits,
    share,
    follower: createHashFollower(hasher, 0, never),
    start: 0,
    atomic: true,
    commit: never,
    committed: never,
  });
  const reader = createBodyReader(input.body, [call.signal], (bytes) => observer.received("blob", bytes));

  async function take(from: BodyReader): Promise<void> {
    // Once true it stays so, for what is passed over here cannot be appended to.
    let isThere = false;
    for (;;) {
      const chunk = await from.next();
      if (chunk === undefined) return;
      const size = hasher.offset + chunk.length;
      assertBlobSize(limits, size);
      // Before anything goes to the medium, and not sooner: a small blob need not wait to be taken in.
      const isHeld = size < Math.min(smallContentBytes, share.limit() / 2);
      isThere ||= !isHeld && (await looking) !== undefined;
      if (isThere) hasher.update(chunk);
      else await appender.push(chunk);
    }
  }

  try {
    await take(reader);
    call.signal?.throwIfAborted();
    const sizeBytes = hasher.offset;
    assertLength(input.lengthBytes, sizeBytes);
    const digests = hasher.digests();
    if (expected) assertChecksums([{ algorithm: expected.algorithm, value: expected.digest }], digests, "the blob");
    const sha256 = digests.find(({ algorithm }) => algorithm === "sha256")!.value;
    const ref: BlobRef = expected ?? { algorithm: "sha256", digest: sha256 };
    const onMedium = appender.extent?.length ?? 0;
    return {
      heldBytes: appender.received - onMedium,
      async store() {
        const arrivedAt = performance.now();
        try {
          // What has gone to the medium is committed without a look: that tells just as well whether it was there.
          const known = await (looking ?? (onMedium === 0 ? committer.find({ tenantId, ref }) : undefined));
          const stored =
            known === undefined
              ? await committer.insert({ tenantId, ref, sizeBytes, blobKey: (await appender.finish())?.blobKey })
              : { blob: known, applied: false };
          observer.blobPut(stored.applied);
          observer.appended("blob", (performance.now() - arrivedAt) / 1000);
          return stored;
        } finally {
          await appender.close();
        }
      },
    };
  } catch (error) {
    await appender.close();
    throw error;
  } finally {
    reader.close();
  }
}

function assertLength(declared: number | undefined, actual: number): void {
  if (declared === undefined || declared === actual) return;
  throw new UploadError("invalid", `the blob has ${actual} bytes, not ${declared} as its sender said`, {
    reason: "SIZE_DIFFERS",
    declared: String(declared),
    actual: String(actual),
  });
}

/** A blob has no checkpoints, and is hashed from memory throughout. */
function never(): never {
  throw new TypeError("a blob is neither committed in parts nor read back");
}
