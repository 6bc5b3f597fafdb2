import { UploadError } from "./error.js";

/**
 * What a caller may do. Roles are sets of these; dialects map their own permission names to them. `administer` is for
 * the caller's own tenant, `operate` for all tenants; `read_storage` is for folders of the server that content may be
 * fetched from.
 */
export const permissions = ["read", "upload", "administer", "operate", "read_storage"] as const;

export type Permission = (typeof permissions)[number];

/** Whoever asks: always a user of one tenant. */
export interface Caller {
  readonly tenantId: string;
  readonly userId: string;
  readonly permissions: ReadonlySet<Permission>;
  /** The face it comes through, where it may only know of sessions that the same face created. */
  readonly origin?: string;
}

/**
 * The second parameter of every operation. When `signal` aborts, its reason passes through and no half-written row is
 * left.
 */
export interface Call {
  readonly caller: Caller;
  readonly signal?: AbortSignal;
}

/** Throws `denied` unless the caller has the permission. */
export function assertPermission(caller: Caller, permission: Permission): void {
  if (!caller.permissions.has(permission)) {
    throw new UploadError("denied", `this needs the permission ${permission}`, {
      reason: "PERMISSION_MISSING",
      subject: permission,
    });
  }
}
