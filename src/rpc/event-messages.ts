import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type SessionEventSchema, SessionEventType } from "../../gen/slipway/upload/v1/event_pb.js";
import type { WatchSessionResponseSchema } from "../../gen/slipway/upload/v1/session_service_pb.js";
import {
  type EventType,
  failureReasons,
  type JsonValue,
  type SessionHistoryEvent,
  type SessionUpdate,
  sourceFailures,
} from "../core/index.js";
import { formatFailure } from "./session-messages.js";

const types: Record<EventType, SessionEventType> = {
  "session.created": SessionEventType.SESSION_CREATED,
  "session.changed": SessionEventType.SESSION_CHANGED,
  "session.completing": SessionEventType.SESSION_COMPLETING,
  "session.reopened": SessionEventType.SESSION_REOPENED,
  "session.done": SessionEventType.SESSION_DONE,
  "session.canceled": SessionEventType.SESSION_CANCELED,
  "session.failed": SessionEventType.SESSION_FAILED,
  "file.added": SessionEventType.FILE_ADDED,
  "file.removed": SessionEventType.FILE_REMOVED,
  "file.ready": SessionEventType.FILE_READY,
  "file.failed": SessionEventType.FILE_FAILED,
  "file.delayed": SessionEventType.FILE_DELAYED,
};

export function formatUpdate(
  update: SessionUpdate,
): NonNullable<MessageInitShape<typeof WatchSessionResponseSchema>["update"]> {
  if (update.kind === "event") return { case: "event", value: formatEvent(update.event) };
  const files = update.files.map(({ fileId, offset }) => ({ fileId, committedOffset: BigInt(offset) }));
  return { case: "progress", value: { files } };
}

function formatEvent(event: SessionHistoryEvent): MessageInitShape<typeof SessionEventSchema> {
  const { fileId, name, removed, message, retryAt } = event.details;
  const fileName = textOf(name) ?? textOf(removed);
  const reason = failureReasons.find((each) => each === event.details.reason);
  const source = sourceFailures.find((each) => each === event.details.source);
  return {
    number: BigInt(event.number),
    type: types[event.type],
    time: timestampFromDate(event.at),
    ...(typeof fileId === "string" && { fileId }),
    ...(fileName !== undefined && { fileName }),
    ...(reason && { failure: formatFailure({ reason, message: textOf(message) ?? "", ...(source && { source }) }) }),
    ...(typeof retryAt === "string" && { retryTime: timestampFromDate(new Date(retryAt)) }),
  };
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
