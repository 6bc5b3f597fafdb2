// What passwords and tokens are given out for, and how they end.
import {
  type Access,
  type Account,
  createId,
  invalid,
  isUploadError,
  type NewToken,
  parseId,
  parsePage,
  parseText,
  type TokenCreation,
  userNotFound,
} from "../core/index.js";
import { loginFailed } from "./logins.js";
import type { AccessParts } from "./parts.js";
import { parsePassword } from "./passwords.js";
import { tokenInvalid } from "./principals.js";
import { parseOwnOrUserRef, tokenOwnersOf } from "./scope.js";
import { digestToken, generateToken } from "./tokens.js";

const leastTtlMs = 1_000;
const mostTtlMs = 3_650 * 24 * 3_600_000;
const mostLabel = 256;

type PasswordDeeds = Pick<Access, "login" | "changePassword">;

export function createPasswordDeeds(parts: AccessParts): PasswordDeeds {
  const { store, passwords, logins, forget, onPasswordEnded } = parts;
  return {
    async login(input, peer) {
      const label = parseText(input.label, "label", mostLabel);
      const { idleTtlMs = parts.tokenIdleTtlMs, absoluteTtlMs } = input;
      for (const ms of [input.idleTtlMs, absoluteTtlMs]) assertTtl(ms);
      const { user, tenant, password } = await logins.verify(input, peer);
      const made = await makeToken(parts, {
        userId: user.id,
        audience: input.audience,
        label,
        idleTtlMs,
        absoluteTtlMs,
        ...(password !== undefined && { ifPassword: password }),
      }).catch(loginFailedIfChanged);
      return { ...made, user, tenant };
    },

    async changePassword({ currentPassword, newPassword }, principal, peer) {
      parsePassword(newPassword);
      const { tenant, user, token } = principal;
      const login = `${tenant.name}/${user.name}`;
      const { password: ifPassword } = await logins.verify({ login, password: currentPassword }, peer);
      const password = await passwords.hash(newPassword);
      const change = { password, ...(ifPassword !== undefined && { ifPassword }), keepTokenId: token?.id };
      const account = await store.updateUser({ userId: user.id }, change).catch(loginFailedIfChanged);
      forget.user(user.id);
      onPasswordEnded(account);
    },
  };
}

/** The user has another password by now, or is gone. */
function loginFailedIfChanged(error: unknown): never {
  throw isUploadError(error, "not_found") ? loginFailed() : error;
}

type TokenDeeds = Pick<Access, "createToken" | "listTokens" | "revokeToken" | "logout">;

export function createTokenDeeds(parts: AccessParts): TokenDeeds {
  const { store, forget } = parts;

  async function getAccount(ref: ReturnType<typeof parseOwnOrUserRef>): Promise<Account> {
    const account = await store.findAccount(ref);
    if (account === undefined) throw userNotFound(ref.userId);
    return account;
  }
  return {
    async createToken(input, principal) {
      const ref = parseOwnOrUserRef(input.userId, principal);
      const label = parseText(input.label, "label", mostLabel);
      const { audience, idleTtlMs = parts.tokenIdleTtlMs, absoluteTtlMs } = input;
      for (const ms of [input.idleTtlMs, absoluteTtlMs]) assertTtl(ms);
      const account = await getAccount(ref);
      // A password that changes meanwhile ends all tokens: none may come to be behind it, by credentials from before.
      const isOwn = ref.userId === principal.user.id;
      const ifPassword = isOwn ? parts.passwordSeenBy(principal) : account.password;
      const guard = ifPassword === undefined ? {} : { ifPassword };
      const token = { userId: ref.userId, audience, label, idleTtlMs, absoluteTtlMs, ...guard };
      return makeToken(parts, token).catch((error: unknown) => {
        throw isOwn && isUploadError(error, "not_found") ? tokenInvalid("the credentials have ended") : error;
      });
    },

    async listTokens(input, principal) {
      const ref = parseOwnOrUserRef(input.userId, principal);
      const page = parsePage(input.page);
      await getAccount(ref);
      return store.listTokens(ref.userId, page);
    },

    async revokeToken(input, principal) {
      const id = parseId(input.tokenId, "token id");
      await store.deleteToken(id, tokenOwnersOf(principal));
      forget.token(id);
    },

    async logout({ token }) {
      if (token === undefined) return;
      try {
        await store.deleteToken(token.id, {});
      } catch (error) {
        throw isUploadError(error, "not_found") ? tokenInvalid("the token had ended before") : error;
      } finally {
        forget.token(token.id);
      }
    },
  };
}

async function makeToken({ store }: AccessParts, of: Omit<TokenCreation, "id" | "digest">): Promise<NewToken> {
  const token = generateToken();
  const digest = digestToken(token);
  if (digest === undefined) throw new TypeError("a token was generated that is none");
  return { token, accessToken: await store.createToken({ id: createId(), digest, ...of }) };
}

function assertTtl(ms: number | undefined): void {
  if (ms === undefined || (Number.isSafeInteger(ms) && ms >= leastTtlMs && ms <= mostTtlMs)) return;
  throw invalid("DURATION_INVALID", `a token's time to live must be from 1 s to ten years, not ${ms} ms`);
}
