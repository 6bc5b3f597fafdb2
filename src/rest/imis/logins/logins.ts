import type { Access, Uploads } from "../../../core/index.js";
import { type ImisCall, imisOrigin, loginOf } from "../call.js";
import { findArchive } from "../entities/archives.js";
import type { Entities } from "../entities/entities.js";

/** The body of a session's opening, as far as it counts. */
export interface LoginInput {
  readonly archive: string;
  readonly username: string;
  readonly password: string;
  readonly apiVersion: number | undefined;
  /** What the session is known by in the list of its user's. */
  readonly label: string;
  readonly peerAddress: string;
}

export interface OpenedLogin {
  readonly apiVersion: number;
  readonly token: string;
}

/** Bearer sessions: how users get one and give it up. */
export interface Logins {
  /**
   * Whether there is such an archive learns only who has shown the right password. Throws `unauthenticated`,
   * `too_many_requests`, `archive_not_found`.
   */
  open(input: LoginInput, call: ImisCall): Promise<OpenedLogin>;
  /** Closes what was opened under it, too; whatever has become of the archive since. */
  close(input: { readonly archive: string }, call: ImisCall): Promise<void>;
}

/** What clients get that ask for none. */
const usualApiVersion = 6;

export function createLogins(deps: {
  readonly access: Pick<Access, "login" | "logout" | "principalOf">;
  readonly uploads: Pick<Uploads, "getLibrary" | "listLibraries">;
  readonly entities: Pick<Entities, "closeAllOf">;
}): Logins {
  const { access, uploads, entities } = deps;
  return {
    async open({ archive, username, password, label, peerAddress, apiVersion = usualApiVersion }, { signal }) {
      const words = { login: username, password, label, audience: imisOrigin } as const;
      const { token, accessToken } = await access.login(words, { address: peerAddress });
      try {
        const { caller } = await access.principalOf(accessToken);
        await findArchive(uploads, archive, { caller: { ...caller, origin: imisOrigin }, signal, login: accessToken });
      } catch (error) {
        await access.logout({ token: accessToken });
        throw error;
      }
      return { apiVersion, token };
    },

    async close(_input, call) {
      const login = loginOf(call);
      // First, so that whoever is told that it failed can ask again.
      await entities.closeAllOf(login.id, call);
      await access.logout({ token: login });
    },
  };
}
