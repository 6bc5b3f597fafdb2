// Who may administer whom: administrators the users of their tenant, those of the tenant `default` everyone.
import { assertPermission, type Caller, type Principal, parseId, tenantNotFound, type UserRef } from "../core/index.js";

/** The tenant that is meant, if it is the caller's to keep. Throws `denied`, `not_found`. */
export function parseTenantScope(tenantId: string | undefined, { caller }: Principal): string {
  assertPermission(caller, "administer");
  if (tenantId === undefined) return caller.tenantId;
  const id = parseId(tenantId, "tenant id");
  if (id !== caller.tenantId && !isOperator(caller)) throw tenantNotFound(id);
  return id;
}

/** A user whom the caller may administer, if there is one. Throws `denied`. */
export function parseUserRef(userId: string, { caller }: Principal): UserRef {
  assertPermission(caller, "administer");
  return refOf(parseId(userId, "user id"), caller);
}

/** The same, where everyone may do so for themselves; without an id that is meant. */
export function parseOwnOrUserRef(userId: string | undefined, { caller }: Principal): UserRef {
  const id = userId === undefined ? caller.userId : parseId(userId, "user id");
  if (id !== caller.userId) assertPermission(caller, "administer");
  return refOf(id, caller);
}

/** Whose tokens the caller may end. */
export function tokenOwnersOf({ caller }: Principal): { readonly tenantId?: string; readonly userId?: string } {
  if (isOperator(caller)) return {};
  return caller.permissions.has("administer") ? { tenantId: caller.tenantId } : { userId: caller.userId };
}

function refOf(userId: string, caller: Caller): UserRef {
  return isOperator(caller) ? { userId } : { userId, tenantId: caller.tenantId };
}

function isOperator(caller: Caller): boolean {
  return caller.permissions.has("operate");
}
