import type { Account, IdentityStore, Principal, Tenant } from "../core/index.js";
import type { Knowledge } from "./knowledge.js";
import type { Logins } from "./logins.js";
import type { Passwords } from "./passwords.js";

/** What the operations of `Access` work with. */
export interface AccessParts {
  readonly store: IdentityStore;
  readonly passwords: Passwords;
  /** Throws `unavailable` as long as the store may not be asked. Who has a principal has asked. */
  readonly assertReady: () => void;
  readonly logins: Logins;
  /** By name. */
  readonly tenants: Knowledge<Tenant>;
  /** The hash of the password that the user had when this principal was let in. */
  readonly passwordSeenBy: (principal: Principal) => string | undefined;
  /** What of these has changed is asked for again before it is trusted. */
  readonly forget: {
    token(id: string): void;
    user(id: string): void;
    tenant(id: string): void;
  };
  /** For tokens that do not ask for another. */
  readonly tokenIdleTtlMs: number;
  /** Told when the user has another password, or is gone. */
  readonly onPasswordEnded: (account: Account) => void;
}
