import type { Blob } from "./blob.js";
import type { BlobIndex, BlobName, NewBlob, StoredBlob } from "./ports/blob-index.js";
import { createRounds } from "./rounds.js";

/**
 * Asks for and commits blobs in rounds: callers that come at the same time share one statement and one commit, whoever
 * they are. A caller waits behind at most the round that is under way and those that were full before it.
 */
export interface BlobCommitter {
  find(name: BlobName): Promise<Blob | undefined>;
  /** Resolves when the row is durable (P1). After an error it may be there or not; repeating is safe. */
  insert(blob: NewBlob): Promise<StoredBlob>;
}

const mostAtOnce = 1000;

export function createBlobCommitter(index: Pick<BlobIndex, "findBlobs" | "insertBlobs">): BlobCommitter {
  return {
    find: createRounds<BlobName, Blob | undefined>((names) => index.findBlobs(names), mostAtOnce),
    insert: createRounds<NewBlob, StoredBlob>((blobs) => index.insertBlobs(blobs), mostAtOnce),
  };
}
