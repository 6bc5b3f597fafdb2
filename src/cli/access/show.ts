// Tenants, users and tokens as they are printed.
import { type AccessToken, Audience, Role, type Tenant } from "../../../gen/slipway/upload/v1/access_pb.js";
import { formatForeign, formatMoment, formatTime } from "../shell/format.js";
import type { Account } from "./find.js";

export const roles = ["reader", "uploader", "admin"] as const;
export const audiences = ["rpc", "imis", "vsphere", "folio", "perkeep"] as const;

/** Of a word that is one of `roles`. */
export function parseRole(word: string): Role {
  return Role[word.toUpperCase() as keyof typeof Role];
}

export function parseAudience(word: string): Audience {
  return Audience[word.toUpperCase() as keyof typeof Audience];
}

export function formatRole(role: Role): string {
  return Role[role]?.toLowerCase() ?? String(role);
}

function formatAudience(audience: Audience): string {
  return Audience[audience]?.toLowerCase() ?? String(audience);
}

export function formatLogin({ user, tenant }: Account): string {
  return `${tenant.name}/${user.name}`;
}

export function tenantJson(tenant: Tenant) {
  return { id: tenant.id, name: tenant.name, createdAt: formatTime(tenant.createTime) };
}

export function userJson(account: Account) {
  const { user, tenant } = account;
  return {
    id: user.id,
    login: formatLogin(account),
    name: user.name,
    tenant: tenant.name,
    tenantId: tenant.id,
    role: formatRole(user.role),
    createdAt: formatTime(user.createTime),
    updatedAt: formatTime(user.updateTime),
  };
}

export function userFields(account: Account): [string, string][] {
  const { user } = account;
  return [
    ["login", formatForeign(formatLogin(account))],
    ["role", formatRole(user.role)],
    ["id", user.id],
    ["created", formatMoment(user.createTime)],
    ["changed", formatMoment(user.updateTime)],
  ];
}

export function tokenJson(token: AccessToken) {
  return {
    id: token.id,
    userId: token.userId,
    audience: formatAudience(token.audience),
    label: token.label,
    createdAt: formatTime(token.createTime),
    lastUsedAt: formatTime(token.lastUseTime) || undefined,
    expiresAt: formatTime(token.expireTime) || undefined,
    endsAt: formatTime(token.absoluteExpireTime) || undefined,
  };
}

export function tokenRow(token: AccessToken): readonly string[] {
  return [
    token.id,
    formatAudience(token.audience),
    formatMoment(token.createTime),
    formatMoment(token.lastUseTime) || "never",
    formatMoment(token.expireTime),
    formatMoment(token.absoluteExpireTime) || "-",
    formatForeign(token.label),
  ];
}

/** `2026-01-02T03:04:05Z unless it is used before`, and when it ends in any case, which may be just then. */
export function formatEnd({ expireTime, absoluteExpireTime }: AccessToken): string {
  const unused = formatMoment(expireTime);
  const atLatest = absoluteExpireTime === undefined ? undefined : formatMoment(absoluteExpireTime);
  if (unused === atLatest) return unused;
  const idle = `${unused} unless it is used before`;
  return atLatest === undefined ? idle : `${idle}, in any case at ${atLatest}`;
}
