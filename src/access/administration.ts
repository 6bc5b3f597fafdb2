// Tenants and users.
import {
  type Access,
  assertPermission,
  createId,
  isUploadError,
  parseId,
  parseName,
  parsePage,
  userNotFound,
} from "../core/index.js";
import type { AccessParts } from "./parts.js";
import { parsePassword } from "./passwords.js";
import { parseOwnOrUserRef, parseTenantScope, parseUserRef } from "./scope.js";

type TenantDeeds = Pick<Access, "findTenant" | "ensureTenant" | "createTenant" | "listTenants" | "deleteTenant">;

export function createTenantDeeds({ store, assertReady, tenants, forget }: AccessParts): TenantDeeds {
  return {
    async findTenant({ name }) {
      return isName(name) ? tenants.get(name) : undefined;
    },

    async ensureTenant({ name }) {
      assertReady();
      return store.ensureTenant({ id: createId(), name: parseName(name, "tenant name") });
    },

    async createTenant({ name }, { caller }) {
      assertPermission(caller, "operate");
      return store.createTenant({ id: createId(), name: parseName(name, "tenant name") });
    },

    async listTenants({ page }, { caller }) {
      assertPermission(caller, "operate");
      return store.listTenants(parsePage(page));
    },

    async deleteTenant({ tenantId }, { caller }) {
      assertPermission(caller, "operate");
      const id = parseId(tenantId, "tenant id");
      await store.deleteTenant(id);
      forget.tenant(id);
    },
  };
}

/** Whether there could be a tenant with this name. */
function isName(text: string): boolean {
  try {
    return parseName(text, "tenant name") !== "";
  } catch (error) {
    if (isUploadError(error, "invalid")) return false;
    throw error;
  }
}

type UserDeeds = Pick<Access, "createUser" | "getUser" | "listUsers" | "updateUser" | "deleteUser">;

export function createUserDeeds({ store, passwords, forget, onPasswordEnded }: AccessParts): UserDeeds {
  const hash = async (password: string | undefined) =>
    password === undefined ? undefined : passwords.hash(parsePassword(password));
  return {
    async createUser(input, principal) {
      const tenantId = parseTenantScope(input.tenantId, principal);
      const name = parseName(input.name, "user name");
      const password = await hash(input.password);
      return (await store.createUser({ id: createId(), tenantId, name, role: input.role, password })).user;
    },

    async getUser(input, principal) {
      const ref = parseOwnOrUserRef(input.userId, principal);
      const account = await store.findAccount(ref);
      if (account === undefined) throw userNotFound(ref.userId);
      return account.user;
    },

    async listUsers(input, principal) {
      const tenantId = parseTenantScope(input.tenantId, principal);
      const page = parsePage(input.page);
      if (tenantId !== principal.caller.tenantId) await store.getTenant(tenantId);
      return store.listUsers(tenantId, page);
    },

    async updateUser(input, principal) {
      const ref = parseUserRef(input.userId, principal);
      const { role } = input;
      const password = await hash(input.password);
      const account = await store.updateUser(ref, { role, password });
      forget.user(account.user.id);
      if (password !== undefined) onPasswordEnded(account);
      return account.user;
    },

    async deleteUser(input, principal) {
      const account = await store.deleteUser(parseUserRef(input.userId, principal));
      forget.user(account.user.id);
      onPasswordEnded(account);
    },
  };
}
