import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type Limits as LimitsMessage, LimitsSchema } from "../../gen/slipway/upload/v1/limits_pb.js";
import type { Deadlines, Limits } from "../core/index.js";
import { maxMessageBytes } from "./message-size.js";

/** `deadlines`: of sessions that do not ask for others. */
export function formatLimits(limits: Limits, deadlines: Deadlines): LimitsMessage {
  const { idleTtlMs, absoluteTtlMs, keepTerminalMs } = deadlines;
  return create(LimitsSchema, {
    maxFileBytes: BigInt(limits.maxFileBytes),
    maxPartBytes: BigInt(limits.maxPartBytes),
    maxMessageBytes: BigInt(maxMessageBytes),
    maxSessionFiles: BigInt(limits.maxSessionFiles),
    maxBlobBytes: BigInt(limits.maxBlobBytes),
    maxStreamBlobs: BigInt(limits.maxStreamBlobs),
    maxBlobRefs: BigInt(limits.maxBlobRefs),
    maxAttributesBytes: BigInt(limits.maxAttributesBytes),
    sessionIdleTtl: durationFromMs(idleTtlMs),
    ...(absoluteTtlMs !== undefined && { sessionAbsoluteTtl: durationFromMs(absoluteTtlMs) }),
    sessionKeep: durationFromMs(keepTerminalMs),
  });
}
