import {
  type Access,
  type AccessToken,
  type Account,
  type Audience,
  type Credentials,
  isUploadError,
  type Peer,
  type Principal,
  type Tenant,
} from "../core/index.js";
import { createTenantDeeds, createUserDeeds } from "./administration.js";
import { createKnowledge } from "./knowledge.js";
import { createKnownTokens } from "./known-tokens.js";
import { createLogins } from "./logins.js";
import type { AccessParts } from "./parts.js";
import { createPrincipal, type Standing, tokenInvalid } from "./principals.js";
import { createThrottle } from "./throttle.js";
import { createPasswordDeeds, createTokenDeeds } from "./token-deeds.js";
import { createTokenUse } from "./token-use.js";
import { createTokenUses } from "./token-uses.js";
import { digestToken } from "./tokens.js";

export interface AccessDeps
  extends Pick<AccessParts, "store" | "passwords" | "assertReady" | "tokenIdleTtlMs" | "onPasswordEnded"> {
  /** Told why it could not be taken down when tokens were used; it is tried again. */
  readonly onFlushError: (error: unknown) => void;
  /** Monotonic milliseconds. */
  readonly elapsed?: () => number;
}

/** How long what the database said is believed: revocations by other processes take this long to be noticed. */
const trustMs = 5_000;

/** `stop` takes down the last uses of tokens. */
export function createAccess(deps: AccessDeps): Access & { stop(): Promise<void> } {
  const { store, passwords, assertReady, elapsed = () => performance.now() } = deps;
  const uses = createTokenUses({ store, elapsed, onError: deps.onFlushError });

  const tokens = createKnownTokens({ store, assertReady, trustMs, elapsed });
  const accounts = createKnowledge<Account>({
    async ask(userId) {
      assertReady();
      return store.findAccount({ userId });
    },
    trustMs: () => trustMs,
    elapsed,
  });
  const tenants = createKnowledge<Tenant>({
    async ask(name) {
      assertReady();
      return store.findTenantByName(name);
    },
    trustMs: () => trustMs,
    elapsed,
  });
  const logins = createLogins({
    store: {
      async findAccountByName(tenantName, userName) {
        assertReady();
        return store.findAccountByName(tenantName, userName);
      },
    },
    accounts,
    passwords,
    throttle: createThrottle(elapsed),
    elapsed,
  });
  const passwordsSeen = new WeakMap<Principal, string | undefined>();
  function admit(account: Account, token: AccessToken | undefined, standing: Standing): Principal {
    const principal = createPrincipal(account, token, standing, elapsed);
    passwordsSeen.set(principal, account.password);
    return principal;
  }
  const parts: AccessParts = {
    ...deps,
    logins,
    tenants,
    passwordSeenBy: (principal) => passwordsSeen.get(principal),
    forget: {
      token: (id) => tokens.forget(({ token }) => token.id === id),
      user(id) {
        tokens.forget(({ user }) => user.id === id);
        accounts.forget(({ user }) => user.id === id);
      },
      tenant(id) {
        tokens.forget(({ tenant }) => tenant.id === id);
        accounts.forget(({ tenant }) => tenant.id === id);
        tenants.forget((tenant) => tenant.id === id);
      },
    },
  };

  async function admitToken(text: string, audience: Audience): Promise<Principal> {
    const key = digestToken(text)?.toString("base64");
    const found = key === undefined ? undefined : await tokens.byDigest.get(key);
    if (key === undefined || found?.token.audience !== audience)
      throw tokenInvalid("the token is not valid here, or has ended");
    let { endsAt } = found;
    const standing = {
      peek() {
        const known = tokens.byDigest.peek(key);
        if (known !== undefined) ({ endsAt } = known);
        return known;
      },
      get: () => tokens.byDigest.get(key),
      note: () => uses.note(found.token.id, endsAt),
    };
    standing.note();
    return admit(found, found.token, standing);
  }

  async function admitPassword(words: Credentials & { kind: "password" }, peer: Peer): Promise<Principal> {
    const account = await logins.recall(words, peer).catch((error: unknown) => {
      throw isUploadError(error, "unauthenticated") ? tokenInvalid(error.message) : error;
    });
    const { user, password } = account;
    const ifSame = (known: Account | undefined) => (known?.password === password ? known : undefined);
    const standing = {
      peek: () => ifSame(accounts.peek(user.id)),
      get: async () => ifSame(await accounts.get(user.id)),
      note: () => undefined,
    };
    return admit(account, undefined, standing);
  }

  return {
    async authenticate(credentials, audience, peer) {
      if (credentials === undefined) throw tokenInvalid("credentials are needed");
      if (credentials.kind === "token") return admitToken(credentials.token, audience);
      return admitPassword(credentials, peer);
    },
    async principalOf({ tenantId, userId }) {
      const account = await accounts.get(userId);
      if (account?.tenant.id !== tenantId) throw tokenInvalid(`there is no user ${userId} any more`);
      const standing = {
        peek: () => accounts.peek(userId),
        get: () => accounts.get(userId),
        note: () => undefined,
      };
      return admit(account, undefined, standing);
    },
    useToken: (token) => createTokenUse({ token, tokens: tokens.byId, uses, elapsed }),
    ...createPasswordDeeds(parts),
    ...createTokenDeeds(parts),
    ...createTenantDeeds(parts),
    ...createUserDeeds(parts),
    stop: () => uses.stop(),
  };
}
