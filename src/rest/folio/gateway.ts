// Login mode: this server is the gateway, as its clients know it.
import { type Access, isUploadError, type Principal } from "../../core/index.js";
import { type Admitted, findCookie, type WireRequest } from "../kit/index.js";
import {
  callOfNobody,
  type FolioGate,
  folioOrigin,
  headerOf,
  isForNoTenant,
  noSuchTenant,
  wrongMethod,
} from "./admission.js";
import type { FolioCall } from "./call.js";
import { FolioRefusal, textAnswer } from "./errors.js";
import type { FolioFacts } from "./facts.js";
import { assertMediaTypes } from "./media-types.js";
import { type FolioTokens, readUnverified, renewingLabel } from "./tokens.js";

export interface GatewayDeps {
  readonly access: Pick<Access, "authenticate" | "findTenant">;
  readonly tokens: Pick<FolioTokens, "open">;
  /** The origins, beside this server's own, whose pages may send cookies. */
  readonly origins: readonly string[];
  readonly now: () => Date;
}

/** Lets in who shows a token that was made here. */
export function createGateway(deps: GatewayDeps): FolioGate {
  const { access, origins } = deps;

  /** The tenant that the request names, which must be there. */
  async function findNamed(request: WireRequest) {
    const name = isForNoTenant(request) ? undefined : headerOf(request, "x-okapi-tenant");
    if (name === undefined) return undefined;
    const tenant = await access.findTenant({ name });
    if (tenant === undefined) throw noSuchTenant(name);
    return tenant;
  }
  async function authenticate(text: string, { peerAddress }: WireRequest): Promise<Principal> {
    const opened = await deps.tokens.open(text, deps.now());
    if (opened === undefined || opened.type === "refresh") throw invalidToken(401);
    try {
      const { token } = opened;
      const principal = await access.authenticate({ kind: "token", token }, folioOrigin, { address: peerAddress });
      if (principal.token?.label === renewingLabel) throw invalidToken(401);
      return principal;
    } catch (error) {
      throw isUploadError(error, "unauthenticated") ? invalidToken(401) : error;
    }
  }
  return {
    async admit(request, facts) {
      const text = findAccessToken(request, origins);
      const named = await findNamed(request);
      const admitted =
        facts.permission === undefined
          ? { call: callOfNobody(request, named), use: () => undefined }
          : await admitUser(facts.permission);
      assertMediaTypes(request, facts);
      return admitted;

      async function admitUser(permission: string): Promise<Admitted<FolioCall>> {
        if (text === undefined) throw new FolioRefusal(400, `Token missing, access requires permission: ${permission}`);
        const principal = await authenticate(text, request);
        const { user, tenant, caller } = principal;
        const claimed = headerOf(request, "x-okapi-user-id")?.toLowerCase() ?? user.id;
        if ((named !== undefined && named.id !== tenant.id) || claimed !== user.id) throw invalidToken(403);
        assertAllowed(principal, facts);
        const { id, name } = user;
        return {
          call: {
            caller: { ...caller, origin: folioOrigin },
            signal: request.signal,
            tenantName: tenant.name,
            user: { id, name },
          },
          user: `${tenant.name}/${name}`,
          use: principal.use,
        };
      }
    },

    lose(request, allow) {
      if (allow.length > 0) return wrongMethod(allow);
      const token = headerOf(request, "x-okapi-token");
      const told = token === undefined ? undefined : readUnverified(token).tenantName;
      const tenant = headerOf(request, "x-okapi-tenant") ?? told ?? "supertenant";
      return textAnswer(404, `No suitable module found for path ${request.path} for tenant ${tenant}`);
    },
  };
}

/** Throws 400 when two headers show different ones. A cookie counts where no header shows any. */
export function findAccessToken(request: WireRequest, origins: readonly string[]): string | undefined {
  const own = headerOf(request, "x-okapi-token");
  const authorization = headerOf(request, "authorization");
  const bearer = authorization?.replace(/^Bearer\s+/i, "");
  if (own !== undefined && bearer !== undefined && own !== bearer) {
    throw new FolioRefusal(400, "Different tokens in Authentication and X-Okapi-Token. Use only one of them");
  }
  return own ?? bearer ?? findCookie(request, "folioAccessToken", origins);
}

export function invalidToken(status: 401 | 403): FolioRefusal {
  return new FolioRefusal(status, "Invalid token");
}

function assertAllowed({ user, caller }: Principal, { permission, needs }: FolioFacts): void {
  if (needs === undefined || caller.permissions.has(needs)) return;
  throw new FolioRefusal(403, `Access for user '${user.name}' (${user.id}) requires permission: ${permission}`);
}
