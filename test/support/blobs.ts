import { createHash } from "node:crypto";
import type { BlobAlgorithm, BlobInput, BlobRef, Call, StoredBlob, Uploads } from "../../src/core/index.js";
import { readWhole, sendWhole } from "./bodies.js";

/** What names these bytes. */
export function refOf(content: Uint8Array, algorithm: BlobAlgorithm = "sha256"): BlobRef {
  return { algorithm, digest: createHash(algorithm).update(content).digest("hex") };
}

export function put(uploads: Uploads, call: Call, content: Uint8Array, ref?: BlobRef): Promise<StoredBlob> {
  return uploads.putBlob({ ref, body: sendWhole(content) }, call);
}

export async function isStored(uploads: Uploads, call: Call, ref: BlobRef): Promise<boolean> {
  return (await uploads.statBlobs({ refs: [ref] }, call)).length === 1;
}

export async function readBack(uploads: Uploads, call: Call, ref: BlobRef): Promise<Uint8Array> {
  return readWhole((await uploads.readBlob({ ref }, call)).body);
}

/** What a stream of blobs answered, and the error that it ended with, if any. */
export async function putAll(uploads: Uploads, call: Call, blobs: Iterable<BlobInput> | AsyncIterable<BlobInput>) {
  async function* source() {
    yield* blobs;
  }
  const stored: StoredBlob[] = [];
  try {
    for await (const each of uploads.putBlobs({ blobs: source() }, call)) stored.push(each);
  } catch (error) {
    return { stored, error };
  }
  return { stored, error: undefined };
}

export function inputOf(content: Uint8Array, ref?: BlobRef): BlobInput {
  return { ref, body: sendWhole(content), lengthBytes: content.length };
}
