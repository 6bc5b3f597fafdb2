import type { AccessToken, Role, Tenant, User } from "../access.js";
import type { Page, PageQuery } from "../paging.js";

/**
 * The part of the metadata port that knows who may come in. Names are unique: a tenant's on the server, a user's in its
 * tenant. Passwords and tokens come as digests only. A token that has ended, by idleness or for good, is not there,
 * whether or not it was swept.
 */
export interface IdentityStore {
  /** The ids of the tenant and of the user with these names, made (an uploader) when they are not there. */
  ensureUser(tenantName: string, userName: string): Promise<{ readonly tenantId: string; readonly userId: string }>;

  /** True while no administrator of the tenant `default` can be let in: none has a password or a token. */
  lacksAdministrator(): Promise<boolean>;
  /**
   * Makes the administrator `admin` of the tenant `default` with this password, or gives it to the one that is there,
   * while `lacksAdministrator`; of several that try at once, one does. Answers whether it did.
   */
  createFirstAdministrator(password: string): Promise<boolean>;

  /** Throws `already_exists` (NAME_TAKEN). */
  createTenant(tenant: Omit<Tenant, "createdAt">): Promise<Tenant>;
  /** The tenant with this name, made when it is not there; of several that try at once, one makes it. */
  ensureTenant(tenant: Omit<Tenant, "createdAt">): Promise<{ readonly tenant: Tenant; readonly applied: boolean }>;
  /** Throws `not_found`. */
  getTenant(id: string): Promise<Tenant>;
  findTenantByName(name: string): Promise<Tenant | undefined>;
  /** Newest first, as all lists. */
  listTenants(page: PageQuery): Promise<Page<Tenant>>;
  /**
   * Its users, their tokens and its records go with it. Throws `not_found`; `busy` (TENANT_IN_USE) while it holds
   * sessions or libraries, and for `default`.
   */
  deleteTenant(id: string): Promise<void>;

  /** Throws `not_found` for the tenant, `already_exists` (NAME_TAKEN). */
  createUser(
    user: Omit<User, "createdAt" | "modifiedAt"> & { readonly password: string | undefined },
  ): Promise<Account>;
  findAccount(ref: UserRef): Promise<Account | undefined>;
  findAccountByName(tenantName: string, userName: string): Promise<Account | undefined>;
  listUsers(tenantId: string, page: PageQuery): Promise<Page<User>>;
  /**
   * With a password, the user's tokens end, but for `keepTokenId`. With `ifPassword`, only while that is the user's
   * password. The tenant's row is locked: of two that would take the tenant `default` its last administrators, one is
   * refused. Throws `not_found`; `busy` (LAST_ADMINISTRATOR).
   */
  updateUser(ref: UserRef, change: UserChange): Promise<Account>;
  /** The user's tokens end. The same lock. Throws `not_found`; `busy` (LAST_ADMINISTRATOR). */
  deleteUser(ref: UserRef): Promise<Account>;

  /** With `ifPassword`, only while that is the user's password, and no change of it slips in between. Throws `not_found`. */
  createToken(token: TokenCreation): Promise<AccessToken>;
  /** All that a call needs to know of its token, and the database's time, as of one moment. */
  findToken(digest: Uint8Array): Promise<FoundToken | undefined>;
  /** The same, for what goes on under a token that nobody shows. */
  findTokenById(tokenId: string): Promise<FoundToken | undefined>;
  listTokens(userId: string, page: PageQuery): Promise<Page<AccessToken>>;
  /** Throws `not_found`, for a token of somebody else than `owner` too. */
  deleteToken(tokenId: string, owner: { readonly tenantId?: string; readonly userId?: string }): Promise<AccessToken>;
  /** Puts off the idle end of all these tokens, each from when it was used; those that had ended by then stay ended. */
  touchTokens(uses: readonly { readonly tokenId: string; readonly agoMs: number }[]): Promise<void>;
}

/** A user with the tenant, and the digest of the password if there is one. */
export interface Account {
  readonly user: User;
  readonly tenant: Tenant;
  readonly password: string | undefined;
}

export interface FoundToken extends Account {
  readonly token: AccessToken;
  /** The database's time. */
  readonly now: Date;
}

/** Without a tenant: of any. */
export interface UserRef {
  readonly userId: string;
  readonly tenantId?: string | undefined;
}

export interface UserChange {
  readonly role?: Role | undefined;
  readonly password?: string | undefined;
  readonly ifPassword?: string;
  readonly keepTokenId?: string | undefined;
}

export interface TokenCreation extends Pick<AccessToken, "id" | "userId" | "audience" | "label" | "idleTtlMs"> {
  readonly digest: Uint8Array;
  /** Undefined for never. */
  readonly absoluteTtlMs: number | undefined;
  readonly ifPassword?: string;
}
