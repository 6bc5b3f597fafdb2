import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type Blob as BlobMessage,
  type BlobRef as BlobRefMessage,
  BlobRefSchema,
  BlobSchema,
} from "../../gen/slipway/upload/v1/blob_pb.js";
import type { UploadedBlob } from "../../gen/slipway/upload/v1/blob_service_pb.js";
import { ChecksumAlgorithm as AlgorithmMessage } from "../../gen/slipway/upload/v1/checksum_pb.js";
import type { Blob, BlobAlgorithm, BlobRef, BlobRefInput, StoredBlob } from "../core/index.js";

const algorithms: Record<BlobAlgorithm, AlgorithmMessage> = {
  sha1: AlgorithmMessage.SHA1,
  sha224: AlgorithmMessage.SHA224,
  sha256: AlgorithmMessage.SHA256,
};

export function formatBlob({ ref, sizeBytes, createdAt }: Blob): BlobMessage {
  return create(BlobSchema, {
    ref: formatRef(ref),
    sizeBytes: BigInt(sizeBytes),
    createTime: timestampFromDate(createdAt),
  });
}

export function formatRef({ algorithm, digest }: BlobRef): BlobRefMessage {
  return create(BlobRefSchema, { algorithm: algorithms[algorithm], digest });
}

export function formatStored({ blob, applied }: StoredBlob): Omit<UploadedBlob, "$typeName"> {
  return { blob: formatBlob(blob), applied };
}

/** What names no algorithm keeps its own name or number, for the core to refuse; so does a ref that is missing. */
export function parseRef(ref: BlobRefMessage | undefined): BlobRefInput {
  const algorithm = ref?.algorithm ?? AlgorithmMessage.UNSPECIFIED;
  return { algorithm: AlgorithmMessage[algorithm] ?? String(algorithm), digest: ref?.digest ?? "" };
}
