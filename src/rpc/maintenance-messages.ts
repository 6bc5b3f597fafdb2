import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type CheckFinding as CheckFindingMessage,
  CheckFindingSchema,
  CheckPhase as CheckPhaseMessage,
  CheckProgressSchema,
  CheckSummarySchema,
  type ContentOwnerSchema,
  FindingKind as FindingKindMessage,
  FindingRepair as FindingRepairMessage,
} from "../../gen/slipway/upload/v1/maintenance_pb.js";
import type { CheckStoreResponse } from "../../gen/slipway/upload/v1/maintenance_service_pb.js";
import type { CheckFinding, CheckNews, CheckPhase, ContentOwner, FindingKind, FindingRepair } from "../core/index.js";
import { formatRef } from "./blob-messages.js";
import { formatChecksum } from "./file-messages.js";

const phases: Record<CheckPhase, CheckPhaseMessage> = {
  contents: CheckPhaseMessage.CONTENTS,
  blobs: CheckPhaseMessage.BLOBS,
  store: CheckPhaseMessage.STORE,
};

const kinds: Record<FindingKind, FindingKindMessage> = {
  content_damaged: FindingKindMessage.CONTENT_DAMAGED,
  bytes_missing: FindingKindMessage.BYTES_MISSING,
  unreferenced: FindingKindMessage.UNREFERENCED,
  foreign: FindingKindMessage.FOREIGN,
  metadata_inconsistent: FindingKindMessage.METADATA_INCONSISTENT,
};

const repairs: Record<FindingRepair, FindingRepairMessage> = {
  impossible: FindingRepairMessage.IMPOSSIBLE,
  possible: FindingRepairMessage.POSSIBLE,
  done: FindingRepairMessage.DONE,
};

export function formatNews(news: CheckNews): CheckStoreResponse["news"] {
  if (news.kind === "finding") return { case: "finding", value: formatFinding(news.finding) };
  if (news.kind === "progress") {
    const { phase, cursor, ...counts } = news.progress;
    return {
      case: "progress",
      value: create(CheckProgressSchema, { phase: phases[phase], cursor, ...asBigints(counts) }),
    };
  }
  return { case: "summary", value: create(CheckSummarySchema, asBigints(news.summary)) };
}

function asBigints<Name extends string>(counts: Readonly<Record<Name, number>>): Record<Name, bigint> {
  const entries = Object.entries<number>(counts).map(([name, count]) => [name, BigInt(count)]);
  return Object.fromEntries(entries) as Record<Name, bigint>;
}

function formatFinding(finding: CheckFinding): CheckFindingMessage {
  const { tenant, owners, blobKey, path, offset, sizeBytes, expected, actual, message, repairMessage } = finding;
  return create(CheckFindingSchema, {
    kind: kinds[finding.kind],
    ...(tenant && { tenantId: tenant.id, tenantName: tenant.name }),
    owners: owners.map((owner) => ({ owner: formatOwner(owner) })),
    ...(blobKey !== undefined && { blobKey }),
    ...(path !== undefined && { path }),
    ...(offset !== undefined && { offset: BigInt(offset) }),
    ...(sizeBytes !== undefined && { sizeBytes: BigInt(sizeBytes) }),
    ...(expected && { expected: formatChecksum(expected) }),
    ...(actual && { actual: formatChecksum(actual) }),
    message,
    repair: repairs[finding.repair],
    repairMessage,
  });
}

function formatOwner(owner: ContentOwner): NonNullable<MessageInitShape<typeof ContentOwnerSchema>["owner"]> {
  switch (owner.kind) {
    case "file":
      return { case: "file", value: { sessionId: owner.sessionId, fileId: owner.fileId, name: owner.name } };
    case "item_file":
      return { case: "itemFile", value: { itemId: owner.itemId, name: owner.name } };
    case "blob":
      return { case: "blob", value: formatRef(owner.ref) };
  }
}
