// Blobs as a client of the typed API names and sends them.
import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { BlobRefSchema } from "../../gen/slipway/upload/v1/blob_pb.js";
import type { UploadBlobsRequestSchema } from "../../gen/slipway/upload/v1/blob_service_pb.js";
import { ChecksumAlgorithm } from "../../gen/slipway/upload/v1/checksum_pb.js";
import { slices } from "./bodies.js";
import type { TestClient } from "./client.js";

export type BlobMessage = MessageInitShape<typeof UploadBlobsRequestSchema>;
export type RefMessage = MessageInitShape<typeof BlobRefSchema>;

const names = { sha1: ChecksumAlgorithm.SHA1, sha224: ChecksumAlgorithm.SHA224, sha256: ChecksumAlgorithm.SHA256 };

export function refOf(content: Uint8Array, algorithm: keyof typeof names = "sha256") {
  return { algorithm: names[algorithm], digest: createHash(algorithm).update(content).digest("hex") };
}

/** The messages of one blob, in chunks of this size. */
export function* messagesOf(content: Uint8Array, ref?: RefMessage, chunkBytes = 2 ** 20): Generator<BlobMessage> {
  let at = 0;
  for (const data of content.length === 0 ? [content] : slices(content, chunkBytes)) {
    const first = at === 0 && ref !== undefined ? { ref } : {};
    at += data.length;
    yield { ...first, data: data as Uint8Array<ArrayBuffer>, more: at < content.length };
  }
}

export function upload(client: TestClient, messages: Iterable<BlobMessage>) {
  async function* stream() {
    yield* messages;
  }
  return client.blobs.uploadBlobs(stream());
}

export async function isStored(client: TestClient, ref: RefMessage): Promise<boolean> {
  return (await client.blobs.statBlobs({ refs: [ref] })).blobs.length === 1;
}

export async function readBack(
  client: TestClient,
  ref: RefMessage,
  range: { offset?: bigint; limit?: bigint } = {},
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const { data } of client.blobs.readBlob({ ref, ...range })) chunks.push(data);
  return Buffer.concat(chunks);
}
