import type { Caller, Permission } from "./call.js";
import { UploadError } from "./error.js";
import type { Page } from "./paging.js";

/** What a user may do, as a set of permissions. */
export const roles = ["reader", "uploader", "admin"] as const;

export type Role = (typeof roles)[number];

/** The face that a token was made for; it is refused at every other one. */
export const audiences = ["rpc", "imis", "vsphere", "folio", "perkeep"] as const;

export type Audience = (typeof audiences)[number];

/** The tenant whose administrators keep the other tenants, and that a bare login name is of. */
export const defaultTenant = "default";

/** The first user of that tenant, an administrator. */
export const firstAdministrator = "admin";

export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
}

export interface User {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
}

/** What is kept of a token: everything but the token, of which there is only a digest. */
export interface AccessToken {
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly audience: Audience;
  readonly label: string;
  readonly createdAt: Date;
  /** Up to a minute behind. */
  readonly lastUsedAt: Date;
  readonly idleTtlMs: number;
  /** When it ends whatever happens; undefined for never. */
  readonly endsAt: Date | undefined;
}

/** What somebody shows to be let in. */
export type Credentials =
  | { readonly kind: "token"; readonly token: string }
  /** `login` is `tenant/name`, or a bare name of the default tenant; an `@` is never split. */
  | { readonly kind: "password"; readonly login: string; readonly password: string };

/** Somebody who was let in. */
export interface Principal {
  readonly caller: Caller;
  readonly user: User;
  readonly tenant: Tenant;
  /** Undefined for somebody who showed a password. */
  readonly token: AccessToken | undefined;
  /**
   * Says that the credentials are still in use: bytes flow. Cheap enough for every chunk. Throws `unauthenticated`
   * (TOKEN_INVALID) within five seconds after they were revoked, `denied` when the user has lost a permission.
   */
  use(): void;
}

/** Where a request came from: failed logins are slowed for each address (of IPv6, each /64) on its own. */
export interface Peer {
  readonly address: string;
}

export interface NewToken {
  /** Shown this once. */
  readonly token: string;
  readonly accessToken: AccessToken;
}

interface PageInput {
  readonly size?: number;
  readonly cursor?: string;
}

/**
 * Who asks, and what they may: the other table of contents, beside `Uploads`. Every operation may throw `unavailable`
 * (DATABASE_UNAVAILABLE); those with a principal throw `denied`, `invalid` (ID_MALFORMED), and `not_found` for what is
 * of another tenant.
 */
export interface Access {
  /**
   * Throws `unauthenticated` (TOKEN_INVALID) for no credentials, for those that are not good (any more), and for a token
   * of another audience; `too_many` (LOGIN_THROTTLED). A password is good for every audience.
   */
  authenticate(credentials: Credentials | undefined, audience: Audience, peer: Peer): Promise<Principal>;
  /** The user as somebody let in, for what speaks in a user's name. Throws `unauthenticated` when the user is gone. */
  principalOf(user: { readonly tenantId: string; readonly userId: string }): Promise<Principal>;
  /**
   * Stands for a token that nobody shows while something goes on under it: `use` puts off its idle end. Cheap enough for
   * every chunk, and never throws: a token that was revoked or has ended stays so, and stops nothing.
   */
  useToken(token: { readonly tenantId: string; readonly tokenId: string }): { use(): void };

  /**
   * Throws `unauthenticated` (LOGIN_FAILED), `too_many` (LOGIN_THROTTLED), `invalid` (TEXT_INVALID, DURATION_INVALID).
   */
  login(
    input: {
      readonly login: string;
      readonly password: string;
      readonly label: string;
      readonly audience: Audience;
      readonly idleTtlMs?: number | undefined;
      readonly absoluteTtlMs?: number | undefined;
    },
    peer: Peer,
  ): Promise<NewToken & { readonly user: User; readonly tenant: Tenant }>;
  /** Ends the principal's token, if there is one. */
  logout(principal: Pick<Principal, "token">): Promise<void>;
  /** Throws `unauthenticated` (LOGIN_FAILED), `too_many` (LOGIN_THROTTLED), `invalid` (PASSWORD_INVALID). */
  changePassword(
    input: { readonly currentPassword: string; readonly newPassword: string },
    principal: Principal,
    peer: Peer,
  ): Promise<void>;

  /** For gateways, which are told a tenant's name. A tenant that another process deletes is known for five seconds. */
  findTenant(input: { readonly name: string }): Promise<Tenant | undefined>;
  /** Not for callers: for a gateway that is trusted to say which tenants there are. Throws `invalid` (NAME_INVALID). */
  ensureTenant(input: { readonly name: string }): Promise<{ readonly tenant: Tenant; readonly applied: boolean }>;
  createTenant(input: { readonly name: string }, principal: Principal): Promise<Tenant>;
  /** Newest first, as all lists. */
  listTenants(input: { readonly page: PageInput }, principal: Principal): Promise<Page<Tenant>>;
  /** Throws `busy` (TENANT_IN_USE). */
  deleteTenant(input: { readonly tenantId: string }, principal: Principal): Promise<void>;

  createUser(
    input: {
      readonly tenantId?: string | undefined;
      readonly name: string;
      readonly password?: string | undefined;
      readonly role: Role;
    },
    principal: Principal,
  ): Promise<User>;
  getUser(input: { readonly userId: string }, principal: Principal): Promise<User>;
  listUsers(
    input: { readonly tenantId?: string | undefined; readonly page: PageInput },
    principal: Principal,
  ): Promise<Page<User>>;
  /** Throws `busy` (LAST_ADMINISTRATOR). */
  updateUser(
    input: { readonly userId: string; readonly password?: string | undefined; readonly role?: Role | undefined },
    principal: Principal,
  ): Promise<User>;
  /** Throws `busy` (LAST_ADMINISTRATOR). */
  deleteUser(input: { readonly userId: string }, principal: Principal): Promise<void>;

  createToken(
    input: {
      readonly userId?: string | undefined;
      readonly audience: Audience;
      readonly label: string;
      readonly idleTtlMs?: number | undefined;
      readonly absoluteTtlMs?: number | undefined;
    },
    principal: Principal,
  ): Promise<NewToken>;
  listTokens(
    input: { readonly userId?: string | undefined; readonly page: PageInput },
    principal: Principal,
  ): Promise<Page<AccessToken>>;
  /** Throws `not_found` (TOKEN_NOT_FOUND). */
  revokeToken(input: { readonly tokenId: string }, principal: Principal): Promise<void>;
}

export function tenantNotFound(id: string): UploadError {
  return new UploadError("not_found", `there is no tenant ${id}`, { reason: "TENANT_NOT_FOUND" });
}

export function userNotFound(id: string): UploadError {
  return new UploadError("not_found", `there is no user ${id}`, { reason: "USER_NOT_FOUND" });
}

export function tokenNotFound(id: string): UploadError {
  return new UploadError("not_found", `there is no token ${id}`, { reason: "TOKEN_NOT_FOUND" });
}

const ofOperators: readonly Permission[] = ["operate", "read_storage"];

/** What a role may do; what touches all tenants is for administrators of the default tenant alone. */
export function permissionsOf(role: Role, tenantName: string): ReadonlySet<Permission> {
  const permissions: Record<Role, readonly Permission[]> = {
    reader: ["read"],
    uploader: ["read", "upload"],
    admin: ["read", "upload", "administer", ...(tenantName === defaultTenant ? ofOperators : [])],
  };
  return new Set(permissions[role]);
}
