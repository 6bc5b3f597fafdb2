import { createHmac, randomBytes } from "node:crypto";
import {
  type Account,
  defaultTenant,
  type IdentityStore,
  isUploadError,
  type Peer,
  parseName,
  UploadError,
} from "../core/index.js";
import type { Knowledge } from "./knowledge.js";
import type { Passwords } from "./passwords.js";
import type { Throttle } from "./throttle.js";

export interface LoginWords {
  readonly login: string;
  readonly password: string;
}

/** Who shows which password. */
export interface Logins {
  /**
   * Whose login and password these are, with the digest that was compared. Takes the same time for nobody's. Throws
   * `unauthenticated` (LOGIN_FAILED), `too_many` (LOGIN_THROTTLED).
   */
  verify(words: LoginWords, peer: Peer): Promise<Account>;
  /** The same, but words that were verified in the last five minutes are good while the password stays as it is. */
  recall(words: LoginWords, peer: Peer): Promise<Account>;
}

interface Remembered {
  readonly userId: string;
  readonly password: string | undefined;
  readonly until: number;
}

const rememberMs = 5 * 60_000;
const mostRemembered = 1_000;

export function createLogins(deps: {
  readonly store: Pick<IdentityStore, "findAccountByName">;
  /** By user id. */
  readonly accounts: Knowledge<Account>;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  readonly elapsed: () => number;
}): Logins {
  const { store, accounts, passwords, throttle, elapsed } = deps;
  const processKey = randomBytes(32);
  const underWay = new Map<string, Promise<Account>>();
  const remembered = new Map<string, Remembered>();

  /** Stands for words that are not kept, with nothing to be learned from it outside of this process. */
  const keyOf = (...words: readonly string[]) =>
    createHmac("sha256", processKey).update(JSON.stringify(words)).digest("base64");

  async function check({ login, password }: LoginWords, peer: Peer): Promise<Account> {
    const name = splitLogin(login);
    const attempt = throttle.enter(keyOf(...(name ?? [login]), networkOf(peer.address)));
    let account: Account | undefined;
    let isRight: boolean;
    try {
      account = name && (await store.findAccountByName(...name));
      isRight = await passwords.verify(password, account?.password);
    } catch (error) {
      attempt.abandon();
      throw error;
    }
    if (account === undefined || !isRight) {
      attempt.fail();
      throw loginFailed();
    }
    attempt.succeed();
    return account;
  }
  /** Those who ask the same at the same time are one attempt. */
  function verify(words: LoginWords, peer: Peer): Promise<Account> {
    const key = keyOf(words.login, words.password, peer.address);
    const known = underWay.get(key);
    if (known !== undefined) return known;
    const checking = check(words, peer).finally(() => underWay.delete(key));
    underWay.set(key, checking);
    return checking;
  }
  async function findRemembered(key: string): Promise<Account | undefined> {
    const entry = remembered.get(key);
    if (entry === undefined || elapsed() >= entry.until) return undefined;
    const account = await accounts.get(entry.userId);
    return account?.password === entry.password ? account : undefined;
  }
  return {
    verify,
    async recall(words, peer) {
      const key = keyOf(words.login, words.password);
      const known = await findRemembered(key);
      if (known !== undefined) return known;
      remembered.delete(key);
      const account = await verify(words, peer);
      const { user, password } = account;
      remembered.set(key, { userId: user.id, password, until: elapsed() + rememberMs });
      for (const oldest of remembered.keys()) {
        if (remembered.size <= mostRemembered) break;
        remembered.delete(oldest);
      }
      return account;
    },
  };
}

/** What one guesser may have of addresses: of IPv6 a whole /64 is given to everyone. */
function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head = [], tail = []] = address.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0");
  const groups = [...head, ...zeros, ...tail].slice(0, 4);
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":");
}

export function loginFailed(): UploadError {
  const words = "there is no such user, or the password is another one";
  return new UploadError("unauthenticated", words, { reason: "LOGIN_FAILED" });
}

/** `TENANT/NAME`, or a bare `NAME` of the tenant `default`; undefined for what can be nobody's. */
export function splitLogin(login: string): readonly [tenantName: string, userName: string] | undefined {
  const slash = login.indexOf("/");
  const [tenant, name] = slash < 0 ? [defaultTenant, login] : [login.slice(0, slash), login.slice(slash + 1)];
  try {
    return [parseName(tenant, "tenant name"), parseName(name, "user name")];
  } catch (error) {
    if (isUploadError(error, "invalid")) return undefined;
    throw error;
  }
}
