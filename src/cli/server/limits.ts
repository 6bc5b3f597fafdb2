import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Limits } from "../../../gen/slipway/upload/v1/limits_pb.js";
import { defineServerCommand } from "../connection/server-command.js";
import { formatBytes, formatDuration } from "../shell/format.js";
import { printFields, printJson } from "../shell/output.js";

export const limits = defineServerCommand({
  path: "server limits",
  summary: "tell what a server takes",
  description: `Tells what the server takes as it is set now: how large files, parts, messages and blobs may be, how many of
them, and how long sessions live that ask for nothing else.`,
  examples: ["slipway server limits", "slipway server limits --json | jq .limits.maxFileBytes"],
  async run({ client, ask, context, json }) {
    const found = limitsJson((await ask((options) => client.sessions.getLimits({}, options))).limits as Limits);
    if (json) printJson(context, { limits: found });
    else printFields(context, fieldsOf(found));
  },
});

function limitsJson(limits: Limits) {
  const { sessionIdleTtl, sessionAbsoluteTtl, sessionKeep } = limits;
  const msOf = (duration: typeof sessionKeep) => (duration === undefined ? undefined : durationMs(duration));
  return {
    maxFileBytes: Number(limits.maxFileBytes),
    maxPartBytes: Number(limits.maxPartBytes),
    maxMessageBytes: Number(limits.maxMessageBytes),
    maxSessionFiles: Number(limits.maxSessionFiles),
    maxBlobBytes: Number(limits.maxBlobBytes),
    maxStreamBlobs: Number(limits.maxStreamBlobs),
    maxBlobRefs: Number(limits.maxBlobRefs),
    maxAttributesBytes: Number(limits.maxAttributesBytes),
    sessionIdleTtlMs: msOf(sessionIdleTtl),
    sessionAbsoluteTtlMs: msOf(sessionAbsoluteTtl),
    sessionKeepMs: msOf(sessionKeep),
  };
}

function fieldsOf(limits: ReturnType<typeof limitsJson>): [string, string][] {
  const size = (sizeBytes: number) => `${formatBytes(sizeBytes)} (${sizeBytes} bytes)`;
  const time = (ms: number | undefined) => (ms === undefined ? "no end" : formatDuration(ms));
  return [
    ["file", size(limits.maxFileBytes)],
    ["part with a checksum", size(limits.maxPartBytes)],
    ["message", size(limits.maxMessageBytes)],
    ["blob", size(limits.maxBlobBytes)],
    ["attributes", size(limits.maxAttributesBytes)],
    ["files of a session", String(limits.maxSessionFiles)],
    ["blobs of a stream", String(limits.maxStreamBlobs)],
    ["refs of a call", String(limits.maxBlobRefs)],
    ["session without activity", time(limits.sessionIdleTtlMs)],
    ["session in any case", time(limits.sessionAbsoluteTtlMs)],
    ["ended session", time(limits.sessionKeepMs)],
  ];
}
