import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  ChecksumAlgorithm as AlgorithmMessage,
  type ChecksumInfo,
  type ChecksumInfoSchema,
} from "../../gen/slipway/upload/v1/checksum_pb.js";
import type { TransferEndpointSchema } from "../../gen/slipway/upload/v1/endpoint_pb.js";
import {
  type FetchStatusSchema,
  type FileContentSchema,
  FileFailure,
  type File as FileMessage,
  FileSchema,
  type FileSpec as FileSpecMessage,
  FileState as FileStateMessage,
} from "../../gen/slipway/upload/v1/file_pb.js";
import {
  type Checksum,
  type ChecksumAlgorithm,
  type Content,
  type FileSpecInput,
  type FileState,
  formatThumbprint,
  invalid,
  type Pull,
  type SessionFile,
  type Source,
  UploadError,
} from "../core/index.js";
import { optionalNumberFrom } from "./numbers.js";
import { formatAttributes, formatFailure } from "./session-messages.js";

const states: Record<FileState, FileStateMessage> = {
  waiting: FileStateMessage.WAITING,
  transferring: FileStateMessage.TRANSFERRING,
  validating: FileStateMessage.VALIDATING,
  ready: FileStateMessage.READY,
  failed: FileStateMessage.FAILED,
};

const algorithms: Record<ChecksumAlgorithm, AlgorithmMessage> = {
  md5: AlgorithmMessage.MD5,
  sha1: AlgorithmMessage.SHA1,
  sha224: AlgorithmMessage.SHA224,
  sha256: AlgorithmMessage.SHA256,
  sha384: AlgorithmMessage.SHA384,
  sha512: AlgorithmMessage.SHA512,
  crc32c: AlgorithmMessage.CRC32C,
};

export function formatFile(file: SessionFile): FileMessage {
  const { current, failure, running } = file;
  return create(FileSchema, {
    id: file.id,
    sessionId: file.sessionId,
    spec: {
      name: file.name,
      ...(file.sizeBytes === undefined ? {} : { sizeBytes: BigInt(file.sizeBytes) }),
      checksums: file.checksums.map(formatChecksum),
      mediaType: file.mediaType,
      onFailure: file.onFailure === "session" ? FileFailure.SESSION : FileFailure.FILE,
      attributes: formatAttributes(file.attributes),
      ...(file.source && { source: formatSource(file.source) }),
    },
    state: states[file.state],
    committedOffset: BigInt(file.state === "ready" ? (current?.sizeBytes ?? 0) : (running?.offset ?? 0)),
    attempt: file.attempts,
    ...(current && { content: formatContent(current) }),
    ...(failure && { failure: formatFailure(failure) }),
    createTime: timestampFromDate(file.createdAt),
    updateTime: timestampFromDate(file.modifiedAt),
    ...(file.pull && { fetch: formatPull(file.pull) }),
  });
}

function formatSource({ address, thumbprint }: Source): MessageInitShape<typeof TransferEndpointSchema> {
  return { uri: address.uri, sslCertificateThumbprint: thumbprint === undefined ? "" : formatThumbprint(thumbprint) };
}

function formatPull({ tries, problem, dueAt, found }: Pull): MessageInitShape<typeof FetchStatusSchema> {
  return {
    tries,
    ...(problem && { problem: formatFailure(problem), retryTime: timestampFromDate(dueAt) }),
    ...(found?.sizeBytes === undefined ? {} : { sourceSizeBytes: BigInt(found.sizeBytes) }),
  };
}

export function formatContent({ sizeBytes, checksums }: Content): MessageInitShape<typeof FileContentSchema> {
  return { sizeBytes: BigInt(sizeBytes), checksums: checksums.map(formatChecksum) };
}

export function parseSpec(spec: FileSpecMessage | undefined): FileSpecInput {
  if (spec === undefined) throw invalid("NAME_INVALID", "a file spec with a name is missing");
  return {
    name: spec.name,
    sizeBytes: optionalNumberFrom(spec.sizeBytes, "size"),
    checksums: spec.checksums.map(parseChecksumInfo),
    mediaType: spec.mediaType,
    onFailure: parseOnFailure(spec.onFailure),
    ...(spec.source && { source: { uri: spec.source.uri, thumbprint: spec.source.sslCertificateThumbprint } }),
    ...(spec.attributes === undefined ? {} : { attributes: spec.attributes }),
  };
}

function parseOnFailure(value: FileFailure): "file" | "session" {
  if (value === FileFailure.UNSPECIFIED || value === FileFailure.FILE) return "file";
  if (value === FileFailure.SESSION) return "session";
  throw invalid("NUMBER_INVALID", `on_failure has no value ${value}`);
}

export function formatChecksum(checksum: Checksum): MessageInitShape<typeof ChecksumInfoSchema> {
  return { algorithm: algorithms[checksum.algorithm], checksum: checksum.value };
}

export function parseChecksumInfo(info: ChecksumInfo): { algorithm: string; value: string } {
  for (const [algorithm, message] of Object.entries(algorithms)) {
    if (message === info.algorithm) return { algorithm, value: info.checksum };
  }
  throw new UploadError("unsupported", `there is no checksum algorithm ${info.algorithm}`, {
    reason: "ALGORITHM_UNKNOWN",
  });
}
