// Trust mode: this server is a module behind Okapi, which has looked at tokens and permissions before.
import type { Access, Permission } from "../../core/index.js";
import { nobodysId, type WireRequest } from "../kit/index.js";
import { callOfNobody, type FolioGate, headerOf, isForNoTenant, noSuchTenant, wrongMethod } from "./admission.js";
import type { FolioCall } from "./call.js";
import { FolioRefusal } from "./errors.js";
import { assertMediaTypes } from "./media-types.js";
import { readUnverified } from "./tokens.js";

const permissions: ReadonlySet<Permission> = new Set(["read", "upload"]);
/** Of any version, as FOLIO has them. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Where Okapi makes tenants known: those need not be there. */
const tenantPath = /^\/_\/tenant(\/|$)/;

/** Believes what the headers say of the tenant and the user: whoever can reach the server can be anyone. */
export function createOkapiGate({ access }: { readonly access: Pick<Access, "findTenant"> }): FolioGate {
  async function admit(request: WireRequest): Promise<FolioCall> {
    if (isForNoTenant(request)) return callOfNobody(request);
    const name = headerOf(request, "x-okapi-tenant");
    if (name === undefined) throw new FolioRefusal(400, "Unable to process request Tenant must be set");
    if (tenantPath.test(request.path)) return callOfNobody(request, { id: nobodysId, name });
    const tenant = await access.findTenant({ name });
    if (tenant === undefined) throw noSuchTenant(name);
    const call = callOfNobody(request, tenant, permissions);
    const user = findUser(request);
    return user === undefined ? call : { ...call, caller: { ...call.caller, userId: user.id }, user };
  }
  return {
    async admit(request, facts) {
      const call = await admit(request);
      assertMediaTypes(request, facts);
      return { call, ...(call.user && { user: `${call.tenantName}/${call.user.name}` }), use: () => undefined };
    },

    lose(_request, allow) {
      if (allow.length > 0) return wrongMethod(allow);
      const headers = { "content-type": "text/html; charset=utf-8" };
      return { status: 404, headers, body: "<html><body><h1>Resource not found</h1></body></html>" };
    },
  };
}

/** Whom the header names, or else the token. Without a name of its own, a user goes by the id. */
function findUser(request: WireRequest): FolioCall["user"] {
  const claims = readUnverified(headerOf(request, "x-okapi-token") ?? "");
  const claimed = claims.userId?.toLowerCase();
  const id = headerOf(request, "x-okapi-user-id")?.toLowerCase() ?? claimed;
  if (id === undefined || !uuid.test(id)) return undefined;
  return { id, name: (id === claimed ? claims.userName : undefined) ?? id };
}
