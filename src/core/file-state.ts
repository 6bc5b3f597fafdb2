import { UploadError } from "./error.js";

export const fileStates = ["waiting", "transferring", "validating", "ready", "failed"] as const;

export type FileState = (typeof fileStates)[number];

/**
 * What can happen to a file while its session is active. `begin`: a writer takes its seat. `check`: all bytes are here
 * and are being verified apart from the stream. `accept`: content is whole and right. `reject`: it is not. `declare`:
 * it is declared anew with another content to come. `lose`: bytes that were stored turn out to be damaged or gone.
 * `refuse`: what was about to be sent cannot be what was declared.
 */
export const fileEvents = ["begin", "check", "accept", "reject", "declare", "lose", "refuse"] as const;

export type FileEvent = (typeof fileEvents)[number];

/**
 * The whole life of a file: state x event -> state, or `refused`. A ready or failed file may be sent again: that is a
 * new attempt.
 */
export const fileMoves: Record<FileState, Record<FileEvent, FileState | "refused">> = {
  waiting: {
    begin: "transferring",
    check: "refused",
    accept: "refused",
    reject: "refused",
    declare: "waiting",
    lose: "refused",
    refuse: "failed",
  },
  transferring: {
    begin: "transferring",
    check: "validating",
    accept: "ready",
    reject: "failed",
    declare: "waiting",
    lose: "failed",
    refuse: "failed",
  },
  validating: {
    begin: "transferring",
    check: "validating",
    accept: "ready",
    reject: "failed",
    declare: "waiting",
    lose: "failed",
    refuse: "failed",
  },
  ready: {
    begin: "transferring",
    check: "refused",
    accept: "refused",
    reject: "refused",
    declare: "waiting",
    lose: "failed",
    refuse: "failed",
  },
  failed: {
    begin: "transferring",
    check: "refused",
    accept: "refused",
    reject: "refused",
    declare: "waiting",
    lose: "refused",
    refuse: "failed",
  },
};

/** The next state; throws `wrong_state` (FILE_STATE) where the table refuses. */
export function moveFile(file: { readonly name: string; readonly state: FileState }, event: FileEvent): FileState {
  const next = fileMoves[file.state][event];
  if (next === "refused") {
    throw new UploadError(
      "wrong_state",
      `file ${JSON.stringify(file.name)} is ${file.state}, which does not allow ${event}`,
      {
        reason: "FILE_STATE",
      },
    );
  }
  return next;
}
