import { type Access, type Credentials, isUploadError, parseAuthorization } from "../../../core/index.js";
import type { VsphereCall } from "../call.js";
import { vapiError } from "../errors.js";
import type { login } from "../operations/login.js";
import type { Service } from "../services.js";

/** As long as a label of the core may be. */
const mostLabel = 256;

/** How users of this face get a login, look at it, and give it up. */
export function createLogins(deps: { readonly access: Pick<Access, "login" | "logout"> }): Service<typeof login> {
  const { access } = deps;
  return {
    /** Throws `unauthenticated`, `too_many` (LOGIN_THROTTLED). */
    async create(_input, { wire }) {
      const { login: name, password } = readPassword(wire.headers.authorization);
      const agent = (wire.headers["user-agent"] ?? "").trim().slice(0, mostLabel);
      const { token } = await access.login(
        { login: name, password, audience: "vsphere", label: agent === "" ? "vSphere login" : agent },
        { address: wire.peerAddress },
      );
      return token;
    },

    async get(_input, call) {
      const { createdAt, lastUsedAt } = loginOf(call);
      return { user: call.userName, created_time: createdAt, last_accessed_time: lastUsedAt };
    },

    async delete(_input, call) {
      await access.logout({ token: loginOf(call) });
    },
  };
}

function readPassword(header: string | undefined): Credentials & { readonly kind: "password" } {
  const credentials = header === undefined ? undefined : parse(header);
  if (credentials?.kind === "password") return credentials;
  const text = "a login is made from a name and a password, in the header Authorization by the scheme Basic";
  throw vapiError("unauthenticated", "password_missing", text);
}

function parse(header: string): Credentials | undefined {
  try {
    return parseAuthorization(header);
  } catch (error) {
    if (isUploadError(error, "unauthenticated")) return undefined;
    throw error;
  }
}

function loginOf({ login: token }: VsphereCall) {
  if (token === undefined) throw new TypeError("somebody was let in without a login");
  return token;
}
