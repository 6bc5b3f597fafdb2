import { durationMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { AccessService } from "../../gen/slipway/upload/v1/access_service_pb.js";
import type { Access } from "../core/index.js";
import { formatTenant, formatToken, formatUser, parseAudience, parseRole } from "./access-messages.js";
import { peerOf, principalOf } from "./caller.js";

export function createAccessService(access: Access): ServiceImpl<typeof AccessService> {
  return {
    async login({ login, password, label }, context) {
      const input = { login, password, label, audience: "rpc" as const };
      const { token, accessToken, user } = await access.login(input, peerOf(context));
      return { token, accessToken: formatToken(accessToken), user: formatUser(user) };
    },

    async logout(_request, context) {
      await access.logout(principalOf(context));
      return {};
    },

    async whoAmI(_request, context) {
      const { user, tenant, token } = principalOf(context);
      return {
        user: formatUser(user),
        tenant: formatTenant(tenant),
        ...(token && { accessToken: formatToken(token) }),
      };
    },

    async changePassword(request, context) {
      await access.changePassword(request, principalOf(context), peerOf(context));
      return {};
    },

    async createTenant(request, context) {
      return { tenant: formatTenant(await access.createTenant(request, principalOf(context))) };
    },

    async listTenants(request, context) {
      const tenants = await access.listTenants({ page: pageOf(request) }, principalOf(context));
      return { tenants: tenants.things.map(formatTenant), nextPageToken: tenants.nextCursor ?? "" };
    },

    async deleteTenant(request, context) {
      await access.deleteTenant(request, principalOf(context));
      return {};
    },

    async createUser({ tenantId, name, password, role }, context) {
      const input = { tenantId, name, password, role: parseRole(role) };
      return { user: formatUser(await access.createUser(input, principalOf(context))) };
    },

    async getUser(request, context) {
      return { user: formatUser(await access.getUser(request, principalOf(context))) };
    },

    async listUsers(request, context) {
      const { tenantId } = request;
      const users = await access.listUsers({ tenantId, page: pageOf(request) }, principalOf(context));
      return { users: users.things.map(formatUser), nextPageToken: users.nextCursor ?? "" };
    },

    async updateUser({ userId, password, role }, context) {
      const input = { userId, password, role: role === undefined ? undefined : parseRole(role) };
      return { user: formatUser(await access.updateUser(input, principalOf(context))) };
    },

    async deleteUser(request, context) {
      await access.deleteUser(request, principalOf(context));
      return {};
    },

    async createToken({ userId, audience, label, idleTtl, absoluteTtl }, context) {
      const input = {
        userId,
        audience: parseAudience(audience),
        label,
        idleTtlMs: idleTtl && durationMs(idleTtl),
        absoluteTtlMs: absoluteTtl && durationMs(absoluteTtl),
      };
      const { token, accessToken } = await access.createToken(input, principalOf(context));
      return { token, accessToken: formatToken(accessToken) };
    },

    async listTokens(request, context) {
      const { userId } = request;
      const tokens = await access.listTokens({ userId, page: pageOf(request) }, principalOf(context));
      return { accessTokens: tokens.things.map(formatToken), nextPageToken: tokens.nextCursor ?? "" };
    },

    async revokeToken(request, context) {
      await access.revokeToken(request, principalOf(context));
      return {};
    },
  };
}

function pageOf(request: { readonly pageSize: number; readonly pageToken: string }) {
  return { size: request.pageSize, cursor: request.pageToken };
}
