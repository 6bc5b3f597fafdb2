// Tenants and users as people name them: by name or by id.
import type { Tenant, User } from "../../../gen/slipway/upload/v1/access_pb.js";
import type { WhoAmIResponse } from "../../../gen/slipway/upload/v1/access_service_pb.js";
import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { isId, type Lookup } from "../catalog/find.js";
import { listAll } from "../connection/all-pages.js";
import { isReason } from "../connection/rpc-error.js";
import { CliError, wrongUse } from "../shell/cli-error.js";

/** A user with the tenant that gives the login its first half. */
export interface Account {
  readonly user: User;
  readonly tenant: Tenant;
}

/** The caller, and the token that the calls are made with. */
export interface Self extends Account {
  readonly accessToken: WhoAmIResponse["accessToken"];
}

export async function getSelf({ client, ask }: Lookup): Promise<Self> {
  const { user, tenant, accessToken } = await ask((options) => client.access.whoAmI({}, options));
  if (user === undefined || tenant === undefined) throw new CliError("the server's answer does not say who you are");
  return { user, tenant, accessToken };
}

export function listTenants({ client, ask }: Lookup): Promise<Tenant[]> {
  return listAll(
    (page) => ask((options) => client.access.listTenants(page, options)),
    (page) => page.tenants,
  );
}

/** The caller's own tenant without a word; another one is for those who may list them. */
export async function getTenant(lookup: Lookup, word: string | undefined): Promise<Tenant> {
  const self = await getSelf(lookup);
  if (word === undefined) return self.tenant;
  const tenant = pick([self.tenant], word) ?? pick(await listTenants(lookup), word);
  if (tenant === undefined) throw new CliError(`there is no tenant ${JSON.stringify(word)}`);
  return tenant;
}

export function listUsers({ client, ask }: Lookup, tenantId: string): Promise<User[]> {
  return listAll(
    (page) => ask((options) => client.access.listUsers({ ...page, tenantId }, options)),
    (page) => page.users,
  );
}

/** A login taken apart. A bare name is of the tenant that is given beside it, if one is. */
export function parseUserWord(
  word: string,
  tenant: string | undefined,
): { readonly name: string; readonly tenant: string | undefined } {
  const slash = word.indexOf("/");
  const name = word.slice(slash + 1);
  if (name === "" || slash === 0) throw wrongUse(`a user is NAME, TENANT/NAME or an id, not ${JSON.stringify(word)}`);
  if (slash < 0) return { name, tenant };
  if (tenant !== undefined) throw wrongUse(`give --tenant, or the tenant in ${JSON.stringify(word)}, not both`);
  return { name, tenant: word.slice(0, slash) };
}

/** By id, by name, or by `TENANT/NAME`. Everyone finds themselves; others are for administrators. */
export async function getUser(lookup: Lookup, word: string, tenantWord?: string): Promise<Account> {
  const { name, tenant: tenantName } = parseUserWord(word, tenantWord);
  const byId = isId(word) ? await findUserById(lookup, word) : undefined;
  if (byId !== undefined) return { user: byId, tenant: await getTenant(lookup, byId.tenantId) };
  const tenant = await getTenant(lookup, tenantName);
  const self = await getSelf(lookup);
  if (self.user.name === name && self.tenant.id === tenant.id) return self;
  const user = pick(await listUsers(lookup, tenant.id), name);
  if (user === undefined)
    throw new CliError(`the tenant ${JSON.stringify(tenant.name)} has no user ${JSON.stringify(name)}`);
  return { user, tenant };
}

async function findUserById({ client, ask }: Lookup, userId: string): Promise<User | undefined> {
  try {
    return (await ask((options) => client.access.getUser({ userId }, options))).user;
  } catch (error) {
    if (isReason(error, ErrorReason.USER_NOT_FOUND)) return undefined;
    throw error;
  }
}

/** An id wins over a name that looks like one. */
function pick<T extends Tenant | User>(things: readonly T[], word: string): T | undefined {
  return things.find(({ id }) => id === word.toLowerCase()) ?? things.find(({ name }) => name === word);
}
