import type { AccessToken, Call } from "../../core/index.js";

/** The face, as sessions and tokens know where they come from. */
export const imisOrigin = "imis";

/** Whoever asks, by the bearer session that they opened; without one where nobody has to be known. */
export interface ImisCall extends Call {
  readonly signal: AbortSignal;
  readonly login: AccessToken | undefined;
}

/** The bearer session that was shown. */
export function loginOf({ login }: ImisCall): AccessToken {
  if (login === undefined) throw new TypeError("somebody was let in without a login");
  return login;
}
