// What happens in a session, as people and programs get it printed.
import { type SessionEvent, SessionEventType } from "../../../gen/slipway/upload/v1/event_pb.js";
import { formatForeign, formatMoment, formatTime } from "../shell/format.js";
import { failureJson } from "./failure-view.js";

/** One line: when, what, and about which file. */
export function formatEvent(event: SessionEvent): string {
  const failure = event.failure?.message?.defaultMessage;
  const what = [event.fileName, failure].filter((part) => part !== undefined).join(": ");
  const again = event.retryTime === undefined ? "" : `; tried again at ${formatMoment(event.retryTime)}`;
  const type = typeOf(event).replaceAll("_", " ");
  return `${formatMoment(event.time)}  ${type.padEnd(18)}  ${formatForeign(what)}${again}`.trimEnd();
}

export function eventJson(event: SessionEvent) {
  return {
    type: typeOf(event),
    number: Number(event.number),
    at: formatTime(event.time),
    fileId: event.fileId,
    fileName: event.fileName,
    ...failureJson(event.failure),
    retryAt: formatTime(event.retryTime) || undefined,
  };
}

/** A newer server may tell what this program has no word for. */
function typeOf({ type }: SessionEvent): string {
  return type === SessionEventType.UNSPECIFIED ? "unknown" : (SessionEventType[type]?.toLowerCase() ?? "unknown");
}
