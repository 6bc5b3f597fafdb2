// What both ways of letting somebody in have in common.
import { type Caller, defaultTenant, type Permission } from "../../core/index.js";
import { type Admitted, nobodysId, type WireRequest, type WireResponse } from "../kit/index.js";
import type { FolioCall } from "./call.js";
import { FolioRefusal } from "./errors.js";
import type { FolioFacts } from "./facts.js";

/** Who decides who comes in, and what is said where there is nothing to come to. */
export interface FolioGate {
  admit(request: WireRequest, facts: FolioFacts): Promise<Admitted<FolioCall>>;
  lose(request: WireRequest, allow: readonly string[]): WireResponse;
}

/** The face, as sessions know where they come from. */
export const folioOrigin = "folio";

/** Somebody of whom only the tenant is known, if that; may do what needs no permission. */
export function callOfNobody(
  request: WireRequest,
  tenant: { readonly id: string; readonly name: string } = { id: nobodysId, name: defaultTenant },
  permissions: ReadonlySet<Permission> = new Set(),
): FolioCall {
  const caller: Caller = { tenantId: tenant.id, userId: nobodysId, permissions, origin: folioOrigin };
  return { caller, signal: request.signal, tenantName: tenant.name, user: undefined };
}

/** `/admin/health` is for whoever watches over the server, and knows no tenant. */
export function isForNoTenant({ path }: WireRequest): boolean {
  return path === "/admin" || path.startsWith("/admin/");
}

/** The header's value, if it has one. */
export function headerOf(request: WireRequest, name: string): string | undefined {
  const value = request.headers[name]?.trim();
  return value === "" ? undefined : value;
}

export function noSuchTenant(name: string): FolioRefusal {
  return new FolioRefusal(400, `No such Tenant ${name}`);
}

/** The path has other methods. */
export function wrongMethod(allow: readonly string[]): WireResponse {
  return { status: 405, headers: { allow: allow.join(",") } };
}
