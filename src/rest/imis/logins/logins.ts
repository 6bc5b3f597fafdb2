import type { ImisCall } from "../call.js";

/** The body of a session's opening, as far as it counts. */
export interface LoginInput {
  readonly archive: string;
  readonly username: string;
  readonly password: string;
  readonly apiVersion: number | undefined;
  readonly applicationName: string;
  readonly peerAddress: string;
}

export interface OpenedLogin {
  readonly apiVersion: number;
  readonly token: string;
}

/** Bearer sessions: how users get one and give it up. */
export interface Logins {
  /** Throws `unauthenticated`, `too_many_requests`, `archive_not_found`. */
  open(input: LoginInput, call: ImisCall): Promise<OpenedLogin>;
  /** Closes what was opened under it, too. */
  close(input: { readonly archive: string }, call: ImisCall): Promise<void>;
}
