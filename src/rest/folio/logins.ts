// How users of this face get tokens, get new ones, and give them up.
import {
  type Access,
  isId,
  isUploadError,
  type NewToken,
  type Peer,
  type Permission,
  type Principal,
  permissionsOf,
} from "../../core/index.js";
import { findCookie, type WireRequest } from "../kit/index.js";
import { folioOrigin, headerOf } from "./admission.js";
import type { FolioCall } from "./call.js";
import { FolioErrors, FolioRefusal } from "./errors.js";
import { findAccessToken, invalidToken } from "./gateway.js";
import { type FolioTokens, type FolioTokenType, renewingLabel } from "./tokens.js";

export interface LoginInput {
  /** A user's name, or the id. */
  readonly who: { readonly name: string } | { readonly id: string };
  readonly password: string;
  readonly peer: Peer;
}

/** A user, as somebody who came in. */
export interface Member {
  readonly tenantName: string;
  readonly user: { readonly id: string; readonly name: string };
  readonly permissions: ReadonlySet<Permission>;
}

/** A token of this API. */
interface Signed {
  readonly text: string;
  readonly endsAt: Date | undefined;
}

/** A login that is renewed every few minutes. */
export interface Renewable {
  readonly member: Member;
  readonly access: Signed & { readonly endsAt: Date };
  readonly refresh: Signed & { readonly endsAt: Date };
}

export interface FolioLogins {
  /**
   * A token that lasts as long as it is used. Throws `FolioErrors` for words that are not good, `too_many`
   * (LOGIN_THROTTLED) after too many of them.
   */
  logIn(input: LoginInput, call: FolioCall): Promise<{ readonly member: Member; readonly access: Signed }>;
  /** The same, with a token for ten minutes, and one for a week that gets new ones. */
  logInRenewably(input: LoginInput, call: FolioCall): Promise<Renewable>;
  /** Ends the token in the cookie, and gives two new ones for it. Throws `FolioRefusal`. */
  refresh(request: WireRequest): Promise<Renewable>;
  /** Ends whatever token the request shows. */
  logOut(request: WireRequest): Promise<void>;
  getSelf(input: unknown, call: FolioCall): Promise<Member>;
}

export const accessSeconds = 600;
export const refreshSeconds = 604_800;

const endingAfter = (seconds: number) => ({ idleTtlMs: seconds * 1000, absoluteTtlMs: seconds * 1000 });
const asked = {
  "legacy-access": { audience: folioOrigin, label: "FOLIO login" },
  access: { audience: folioOrigin, label: "FOLIO login", ...endingAfter(accessSeconds) },
  refresh: { audience: folioOrigin, label: renewingLabel, ...endingAfter(refreshSeconds) },
} as const satisfies Record<FolioTokenType, object>;

export function createFolioLogins(deps: {
  readonly access: Pick<Access, "authenticate" | "principalOf" | "login" | "createToken" | "logout">;
  readonly tokens: FolioTokens;
  /** The origins, beside this server's own, whose pages may send cookies. */
  readonly origins: readonly string[];
  readonly now: () => Date;
}): FolioLogins {
  const { access, tokens, origins, now } = deps;

  async function sign(
    type: FolioTokenType,
    { token, accessToken }: NewToken,
    member: Pick<Member, "tenantName" | "user">,
  ) {
    const { createdAt: madeAt, endsAt } = accessToken;
    return { text: await tokens.sign({ ...member, type, token, madeAt, endsAt }), endsAt };
  }
  async function signEnding(...of: Parameters<typeof sign>) {
    const { text, endsAt } = await sign(...of);
    if (endsAt === undefined) throw new TypeError(`a token of the type ${of[0]} has no end`);
    return { text, endsAt };
  }
  const admit = (token: string, peer: Peer) => access.authenticate({ kind: "token", token }, folioOrigin, peer);

  async function nameOf({ who }: LoginInput, { caller }: FolioCall): Promise<string> {
    if ("name" in who) return who.name;
    const userId = who.id.toLowerCase();
    if (!isId(userId)) return who.id;
    try {
      return (await access.principalOf({ tenantId: caller.tenantId, userId })).user.name;
    } catch (error) {
      // Nobody has this name: it is refused as slowly as a wrong password.
      if (isUploadError(error, "unauthenticated")) return who.id;
      throw error;
    }
  }
  async function enter(type: "legacy-access" | "access", input: LoginInput, call: FolioCall) {
    const { password, peer } = input;
    const login = `${call.tenantName}/${await nameOf(input, call)}`;
    const made = await access.login({ ...asked[type], login, password }, peer);
    return { made, member: memberOf(made) };
  }
  return {
    async logIn(input, call) {
      const { made, member } = await enter("legacy-access", input, call).catch(refuseLogin);
      return { member, access: await sign("legacy-access", made, member) };
    },

    async logInRenewably(input, call) {
      const { made, member } = await enter("access", input, call).catch(refuseLogin);
      const next = await admit(made.token, input.peer)
        .then((principal) => access.createToken(asked.refresh, principal))
        .catch(refuseLogin);
      return {
        member,
        access: await signEnding("access", made, member),
        refresh: await signEnding("refresh", next, member),
      };
    },

    async refresh(request) {
      const text = findCookie(request, "folioRefreshToken", origins);
      if (text === undefined) throw new FolioRefusal(400, "The cookie folioRefreshToken is missing");
      const opened = await tokens.open(text, now());
      if (opened?.type !== "refresh") throw refreshEnded();
      try {
        const principal = await admit(opened.token, { address: request.peerAddress });
        const named = headerOf(request, "x-okapi-tenant") ?? principal.tenant.name;
        if (named !== principal.tenant.name) throw invalidToken(403);
        // First, so that of two that ask with one token one gets an answer.
        await access.logout(principal);
        const member = memberOf(principal);
        const made = await access.createToken(asked.access, principal);
        const next = await access.createToken(asked.refresh, principal);
        return {
          member,
          access: await signEnding("access", made, member),
          refresh: await signEnding("refresh", next, member),
        };
      } catch (error) {
        throw isUploadError(error, "unauthenticated") ? refreshEnded() : error;
      }
    },

    async logOut(request) {
      const shown = [findAccessToken(request, origins), findCookie(request, "folioRefreshToken", origins)];
      for (const text of shown) {
        const opened = text === undefined ? undefined : await tokens.open(text, now());
        if (opened === undefined) continue;
        try {
          await access.logout(await admit(opened.token, { address: request.peerAddress }));
        } catch (error) {
          // It had ended before.
          if (!isUploadError(error, "unauthenticated")) throw error;
        }
      }
    },

    async getSelf(_input, { tenantName, user, caller }) {
      if (user === undefined) throw new TypeError("somebody was let in without being anyone");
      return { tenantName, user, permissions: caller.permissions };
    },
  };
}

function memberOf({ tenant, user }: Pick<Principal, "tenant" | "user">): Member {
  const { id, name, role } = user;
  return { tenantName: tenant.name, user: { id, name }, permissions: permissionsOf(role, tenant.name) };
}

function refuseLogin(error: unknown): never {
  if (!isUploadError(error, "unauthenticated")) throw error;
  throw new FolioErrors([
    {
      message: "Wrong username or wrong password or account blocked",
      type: "error",
      code: "wrong.username.or.wrong.password.or.account.blocked",
    },
  ]);
}

/** Clients decide by the code that they have to log in again. */
function refreshEnded(): FolioErrors {
  const message = "the refresh token is none that was made here, or has ended";
  return new FolioErrors([{ message, type: "error", code: "token.refresh.unprocessable" }]);
}
