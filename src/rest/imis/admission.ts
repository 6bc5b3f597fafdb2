import { type Access, type Caller, parseAuthorization } from "../../core/index.js";
import { type Admitted, nobodysId, type WireRequest } from "../kit/index.js";
import { type ImisCall, imisOrigin } from "./call.js";
import { ImisError } from "./errors.js";
import type { ImisFacts } from "./route-forms.js";

/** Lets in who shows the token of a bearer session, which nothing else stands for. */
export function createAdmission({ access }: { readonly access: Pick<Access, "authenticate"> }) {
  return async (request: WireRequest, facts: ImisFacts): Promise<Admitted<ImisCall>> => {
    const { signal } = request;
    if (facts.acts && request.method === "HEAD") {
      const headers = { allow: "GET" };
      throw new ImisError("method_not_allowed", "GET changes something here, and HEAD may not", {}, { headers });
    }
    if (facts.admits === "anyone") {
      const caller: Caller = { tenantId: nobodysId, userId: nobodysId, permissions: new Set(), origin: imisOrigin };
      return { call: { caller, signal, login: undefined }, use: () => undefined };
    }
    const header = request.headers.authorization;
    const shown = header === undefined ? undefined : parseAuthorization(header);
    const credentials = shown?.kind === "token" ? shown : undefined;
    const principal = await access.authenticate(credentials, "imis", { address: request.peerAddress });
    const { caller, tenant, user, token, use } = principal;
    return {
      call: { caller: { ...caller, origin: imisOrigin }, signal, login: token },
      user: `${tenant.name}/${user.name}`,
      use,
    };
  };
}
