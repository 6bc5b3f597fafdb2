// Who may come in, as an operator follows it: logins that fail, and what administrators do. Never a password or a token.
import { type Access, type Credentials, isUploadError, type Peer, type Principal } from "../core/index.js";
import type { Log } from "./log.js";

const mostLogin = 128;

/** The same, told of: in the log, and `onLoginFailed` for each password that was not good. */
export function tellAccess<Kind extends Access>(access: Kind, log: Log, onLoginFailed: () => void): Kind {
  function refused(error: unknown, login: string, { address }: Peer): never {
    if (isUploadError(error, "unauthenticated")) {
      onLoginFailed();
      log.warn({ login: login.slice(0, mostLogin), address }, "a login failed");
    }
    throw error;
  }
  const by = ({ tenant, user }: Principal) => `${tenant.name}/${user.name}`;
  /** Told once it is done. */
  function told<Input, Result>(
    words: string,
    deed: (input: Input, principal: Principal) => Promise<Result>,
    facts: (result: Result, input: Input) => object,
  ) {
    return async (input: Input, principal: Principal): Promise<Result> => {
      const result = await deed(input, principal);
      log.info({ by: by(principal), ...facts(result, input) }, words);
      return result;
    };
  }
  return {
    ...access,
    authenticate: (credentials: Credentials | undefined, audience, peer) =>
      credentials?.kind === "password"
        ? access.authenticate(credentials, audience, peer).catch((error) => refused(error, credentials.login, peer))
        : access.authenticate(credentials, audience, peer),
    login: (input, peer) => access.login(input, peer).catch((error) => refused(error, input.login, peer)),
    changePassword: async (input, principal, peer) => {
      await access.changePassword(input, principal, peer).catch((error) => refused(error, by(principal), peer));
      log.info({ by: by(principal) }, "a password was changed");
    },
    ensureTenant: async (input) => {
      const { tenant, applied } = await access.ensureTenant(input);
      if (applied) log.info({ tenantId: tenant.id, name: tenant.name }, "a gateway had a tenant created");
      return { tenant, applied };
    },
    createTenant: told("a tenant was created", access.createTenant, ({ id, name }) => ({ tenantId: id, name })),
    deleteTenant: told("a tenant was deleted", access.deleteTenant, (_done, { tenantId }) => ({ tenantId })),
    createUser: told("a user was created", access.createUser, ({ id, tenantId, name, role }) => ({
      userId: id,
      tenantId,
      name,
      role,
    })),
    updateUser: told("a user was changed", access.updateUser, ({ id, name, role }, { password }) => ({
      userId: id,
      name,
      role,
      newPassword: password !== undefined,
    })),
    deleteUser: told("a user was deleted", access.deleteUser, (_done, { userId }) => ({ userId })),
    createToken: told("a token was created", access.createToken, ({ accessToken }) => ({
      tokenId: accessToken.id,
      userId: accessToken.userId,
      audience: accessToken.audience,
    })),
    revokeToken: told("a token was revoked", access.revokeToken, (_done, { tokenId }) => ({ tokenId })),
  } satisfies Access as Kind;
}
