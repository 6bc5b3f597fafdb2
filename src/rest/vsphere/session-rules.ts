// What update sessions and download sessions have in common, though one kind is the core's and the other only this API's.
import { type VapiError, vapiError } from "./errors.js";

/** Why a session is in ERROR that nobody did anything in for too long. */
export const expiredText = "the session has expired: nothing happened before its deadline";

/** The operation is not for a session in this state; `reason` is why it is in it, empty where that needs no words. */
export function notAllowedIn(operation: string, state: string, reason: string): VapiError {
  const why = reason === "" ? "" : `: ${reason}`;
  const text = `${operation} is not allowed while the session is in state ${state}${why}`;
  return vapiError("not_allowed_in_current_state", "session_state", text, [operation, state, reason]);
}

const mostUntoldMs = 60_000;

/** For how long activity need not be stored: clients ask every few seconds. */
export function untoldMsOf(idleTtlMs: number): number {
  return Math.min(idleTtlMs / 10, mostUntoldMs);
}
