import type { BlobRef } from "../../../gen/slipway/upload/v1/blob_pb.js";
import { ChecksumAlgorithm, type ChecksumInfo } from "../../../gen/slipway/upload/v1/checksum_pb.js";
import {
  type CheckFinding,
  type ContentOwner,
  FindingKind,
  FindingRepair,
} from "../../../gen/slipway/upload/v1/maintenance_pb.js";
import { formatForeign } from "../shell/format.js";

const kinds: Readonly<Record<FindingKind, string>> = {
  [FindingKind.UNSPECIFIED]: "wrong",
  [FindingKind.CONTENT_DAMAGED]: "damaged",
  [FindingKind.BYTES_MISSING]: "missing",
  [FindingKind.UNREFERENCED]: "unreferenced",
  [FindingKind.FOREIGN]: "foreign",
  [FindingKind.METADATA_INCONSISTENT]: "inconsistent",
};

const repairs: Readonly<Record<FindingRepair, string>> = {
  [FindingRepair.UNSPECIFIED]: "unknown",
  [FindingRepair.IMPOSSIBLE]: "impossible",
  [FindingRepair.POSSIBLE]: "possible",
  [FindingRepair.DONE]: "done",
};

/** A word for what is wrong and the server's sentence; below it whose bytes they are and what a repair does or did. */
export function formatFinding(finding: CheckFinding): string {
  const { kind, message, owners, tenantName, repair, repairMessage } = finding;
  const lines = [`${kinds[kind] ?? kinds[0]}: ${message}`];
  for (const owner of owners) lines.push(`  is ${formatOwner(owner)} of the tenant ${tenantName}`);
  if (repair === FindingRepair.DONE) lines.push(`  repaired: ${repairMessage}`);
  if (repair === FindingRepair.POSSIBLE) lines.push(`  --repair: ${repairMessage}`);
  return lines.map((line) => `${formatForeign(line)}\n`).join("");
}

export function findingJson(finding: CheckFinding) {
  const { kind, tenantName, tenantId, owners, blobKey, path, offset, sizeBytes, expected, actual } = finding;
  return {
    kind: kinds[kind] ?? kinds[0],
    message: finding.message,
    tenant: tenantName || undefined,
    tenantId: tenantId || undefined,
    owners: owners.length === 0 ? undefined : owners.map(ownerJson),
    blobKey: blobKey || undefined,
    path: path || undefined,
    offset: offset === undefined ? undefined : Number(offset),
    sizeBytes: sizeBytes === undefined ? undefined : Number(sizeBytes),
    expected: formatChecksum(expected),
    actual: formatChecksum(actual),
    repair: repairs[finding.repair] ?? repairs[0],
    repairMessage: finding.repairMessage || undefined,
  };
}

function formatOwner({ owner }: ContentOwner): string {
  switch (owner.case) {
    case "file":
      return `the file ${JSON.stringify(owner.value.name)} in session ${owner.value.sessionId}`;
    case "itemFile":
      return `the file ${JSON.stringify(owner.value.name)} of item ${owner.value.itemId}`;
    case "blob":
      return `the blob ${formatRef(owner.value)}`;
    case undefined:
      return "something";
  }
}

function ownerJson({ owner }: ContentOwner) {
  switch (owner.case) {
    case "file":
      return { sessionId: owner.value.sessionId, fileId: owner.value.fileId, name: owner.value.name };
    case "itemFile":
      return { itemId: owner.value.itemId, name: owner.value.name };
    case "blob":
      return { ref: formatRef(owner.value) };
    case undefined:
      return {};
  }
}

function formatChecksum(info: ChecksumInfo | undefined): string | undefined {
  return info && formatRef({ algorithm: info.algorithm, digest: info.checksum });
}

function formatRef({ algorithm, digest }: Pick<BlobRef, "algorithm" | "digest">): string {
  return `${(ChecksumAlgorithm[algorithm] ?? "unknown").toLowerCase()}-${digest}`;
}
