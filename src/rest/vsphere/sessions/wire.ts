// The core's sessions and files in the API's words.
import type { Failure, FileState, ItemFile, Session, SessionFile, SessionState } from "../../../core/index.js";
import { checksumInfoOf } from "../checksums.js";
import { endpointOf } from "../endpoint.js";
import { type LocalizableMessage, message } from "../errors.js";
import type { sessionFile, transferStatus } from "../operations/session-file.js";
import type { sessionState, updateSession } from "../operations/update-session.js";
import type { ValueOf } from "../schema.js";
import { declarationOf, warningsOf } from "./attributes.js";

export type SessionWord = ValueOf<typeof sessionState>;
export type UpdateSessionModel = ValueOf<(typeof updateSession)["get"]["output"]>;
export type FileInfo = ValueOf<(typeof sessionFile)["get"]["output"]>;

/** A completion that waits for content to be fetched is not over: clients ask again until the word is another. */
export const sessionWords: Record<SessionState, SessionWord> = {
  active: "ACTIVE",
  completing: "ACTIVE",
  done: "DONE",
  canceled: "CANCELED",
  failed: "ERROR",
};

const fileWords: Record<FileState, ValueOf<typeof transferStatus>> = {
  waiting: "WAITING_FOR_TRANSFER",
  transferring: "TRANSFERRING",
  validating: "VALIDATING",
  ready: "READY",
  failed: "ERROR",
};

export function wireSession(session: Session): UpdateSessionModel {
  const state = sessionWords[session.state];
  return {
    id: session.id,
    // Every session of this face is about an item.
    library_item_id: session.itemId ?? "",
    library_item_content_version: String(session.baseContentVersion ?? 1),
    error_message: session.failure && messageOf(session.failure),
    client_progress: session.clientProgress,
    state,
    expiration_time: session.expiresAt ?? session.modifiedAt,
    // What a certificate or a manifest would have to say is looked at by nobody here.
    preview_info: state === "ACTIVE" ? { state: "NOT_APPLICABLE" } : undefined,
    warning_behavior: warningsOf(session),
  };
}

/** `uploadUrl`: where its content is sent to, for as long as anything can be sent. */
export function wireFile(file: SessionFile, uploadUrl: string): FileInfo {
  const { sourceType, checksum } = declarationOf(file);
  const whole = file.state === "ready" ? file.current : undefined;
  // A session that was given up has let its content go.
  const isGone = file.state !== "failed" && whole === undefined && file.running === undefined;
  return {
    name: file.name,
    source_type: sourceType,
    status: isGone ? "WAITING_FOR_TRANSFER" : fileWords[file.state],
    bytes_transferred: whole?.sizeBytes ?? file.running?.offset ?? 0,
    size: whole?.sizeBytes,
    checksum_info: whole ? checksumInfoOf(whole) : checksum,
    error_message: file.state === "failed" && file.failure ? messageOf(file.failure, file.name) : undefined,
    source_endpoint: sourceType === "PULL" && file.source ? endpointOf(file.source) : undefined,
    upload_endpoint: sourceType === "PUSH" ? { uri: uploadUrl } : undefined,
    keep_in_storage: true,
  };
}

/** A file of the item that the session leaves as it is. */
export function wireKeptFile({ name, content }: ItemFile): FileInfo {
  const { sizeBytes } = content;
  return {
    name,
    source_type: "NONE",
    status: "READY",
    bytes_transferred: sizeBytes,
    size: sizeBytes,
    checksum_info: checksumInfoOf(content),
    keep_in_storage: true,
  };
}

/** Every failure has one: clients take a session or a file in ERROR for broken without. `fileName`: of which file. */
export function messageOf({ reason, message: text, source }: Failure, fileName?: string): LocalizableMessage {
  return message(source ?? reason, text, fileName === undefined ? [] : [fileName]);
}
