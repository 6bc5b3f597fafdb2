// What is wrong with a request about an upload session, in the words of this face.
import { ImisError, type ImisErrorDetails } from "../errors.js";

/** Why a session that has no object is over. */
export type GoneReason = "cancelled" | "expired" | "entity_closed";

const goneTexts: Record<GoneReason, string> = {
  cancelled: "the upload session was cancelled",
  expired: "the upload session has expired",
  entity_closed: "the upload session ended when its entity was closed",
};

export function sessionNotFound(sessionId: string): ImisError {
  const shown = JSON.stringify(sessionId.slice(0, 80));
  return new ImisError("session_not_found", `this entity has no upload session ${shown}`);
}

export function sessionGone(reason: GoneReason): ImisError {
  return new ImisError("session_gone", `${goneTexts[reason]}; begin another one`, { reason });
}

export function handleReadOnly(): ImisError {
  return new ImisError("handle_read_only", "the entity was opened for reading; open it for writing");
}

export function alreadySaved(objectId: string, more = "nothing of it changes any more"): ImisError {
  const text = `the upload session is saved as the object ${objectId}; ${more}`;
  return new ImisError("already_saved", text, { object_id: objectId });
}

/** A part that does not begin where the stored bytes end. */
export function rangeUnexpected(expected: number, provided: number): ImisError {
  const text = `${expected} bytes are stored, the part begins at ${provided}; send the bytes from ${expected} on`;
  return withOffset("range_not_satisfiable", text, expected, { expected_offset: expected, provided_offset: provided });
}

export function lengthInconsistent(told: string, details: ImisErrorDetails): ImisError {
  return new ImisError("length_inconsistent", told, details);
}

/** A refusal that says how much is stored in its head, too. */
export function withOffset(
  code: ImisError["code"],
  text: string,
  offset: number,
  details: ImisErrorDetails,
): ImisError {
  return new ImisError(code, text, details, { headers: { "upload-offset": String(offset) } });
}
