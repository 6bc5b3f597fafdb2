import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type AccessToken as AccessTokenMessage,
  AccessTokenSchema,
  Audience as AudienceMessage,
  Role as RoleMessage,
  type Tenant as TenantMessage,
  TenantSchema,
  type User as UserMessage,
  UserSchema,
} from "../../gen/slipway/upload/v1/access_pb.js";
import type { AccessToken, Audience, Role, Tenant, User } from "../core/index.js";
import { keyOf } from "./session-messages.js";

const roles: Record<Role, RoleMessage> = {
  reader: RoleMessage.READER,
  uploader: RoleMessage.UPLOADER,
  admin: RoleMessage.ADMIN,
};

const audiences: Record<Audience, AudienceMessage> = {
  rpc: AudienceMessage.RPC,
  imis: AudienceMessage.IMIS,
  vsphere: AudienceMessage.VSPHERE,
  folio: AudienceMessage.FOLIO,
  perkeep: AudienceMessage.PERKEEP,
};

export function formatTenant(tenant: Tenant): TenantMessage {
  return create(TenantSchema, {
    id: tenant.id,
    name: tenant.name,
    createTime: timestampFromDate(tenant.createdAt),
  });
}

export function formatUser(user: User): UserMessage {
  return create(UserSchema, {
    id: user.id,
    tenantId: user.tenantId,
    name: user.name,
    role: roles[user.role],
    createTime: timestampFromDate(user.createdAt),
    updateTime: timestampFromDate(user.modifiedAt),
  });
}

export function formatToken(token: AccessToken): AccessTokenMessage {
  const idleEnd = new Date(token.lastUsedAt.getTime() + token.idleTtlMs);
  return create(AccessTokenSchema, {
    id: token.id,
    userId: token.userId,
    audience: audiences[token.audience],
    label: token.label,
    createTime: timestampFromDate(token.createdAt),
    lastUseTime: timestampFromDate(token.lastUsedAt),
    expireTime: timestampFromDate(token.endsAt !== undefined && token.endsAt < idleEnd ? token.endsAt : idleEnd),
    ...(token.endsAt === undefined ? {} : { absoluteExpireTime: timestampFromDate(token.endsAt) }),
  });
}

export function parseRole(role: RoleMessage): Role {
  return keyOf(roles, role, "role");
}

export function parseAudience(audience: AudienceMessage): Audience {
  return audience === AudienceMessage.UNSPECIFIED ? "rpc" : keyOf(audiences, audience, "audience");
}
