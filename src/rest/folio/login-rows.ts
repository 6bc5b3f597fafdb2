// The rows of logging in and out, for where this server is the gateway; behind Okapi other modules have them.
import type { JsonValue } from "../../core/index.js";
import { createRoute, type RoutedRequest, type WireResponse } from "../kit/index.js";
import type { FolioCall } from "./call.js";
import { clearCookies, formatCookie } from "./cookies.js";
import { FolioRefusal } from "./errors.js";
import { type FolioFacts, produces } from "./facts.js";
import { type Printable, prettyJson } from "./json.js";
import { accessSeconds, type LoginInput, type Member, type Renewable, refreshSeconds } from "./logins.js";
import { permissionNames } from "./permissions.js";
import type { FolioServices } from "./services.js";

const route = createRoute<FolioServices, FolioFacts, FolioCall>();
const json = "application/json";
const entering: FolioFacts = { consumes: json, produces };
/** Nobody has been let in yet: whoever they are, they get no room for more than a login needs. */
const loginLimit = { mostBytes: 16 * 2 ** 10 };

export const loginRows = [
  route("POST /bl-users/login", {
    facts: entering,
    read: readUserLogin,
    run: ({ logins }) => logins.logIn,
    write: ({ member, access }, request) =>
      answer(201, formatMember(member, request), { "x-okapi-token": access.text }),
  }),
  route("POST /authn/login", {
    facts: entering,
    read: readLogin,
    run: ({ logins }) => logins.logIn,
    write: ({ access }) => answer(201, { okapiToken: access.text }, { "x-okapi-token": access.text }),
  }),
  route("POST /bl-users/login-with-expiry", {
    facts: entering,
    read: readUserLogin,
    run: ({ logins }) => logins.logInRenewably,
    write: (login, request) =>
      answer(201, { ...formatMember(login.member, request), tokenExpiration: formatEnds(login) }, cookiesOf(login)),
  }),
  route("POST /authn/login-with-expiry", {
    facts: entering,
    read: readLogin,
    run: ({ logins }) => logins.logInRenewably,
    write: (login) => answer(201, formatEnds(login), cookiesOf(login)),
  }),
  route("POST /authn/refresh", {
    facts: { produces },
    read: ({ wire }) => wire,
    run: ({ logins }) => logins.refresh,
    write: (login) => answer(201, formatEnds(login), cookiesOf(login)),
  }),
  route("POST /authn/logout", {
    facts: {},
    read: ({ wire }) => wire,
    run: ({ logins }) => logins.logOut,
    write: () => ({ status: 204, headers: { "set-cookie": clearCookies() } }),
  }),
  route("GET /bl-users/_self", {
    facts: { permission: "users-bl.item.get", produces },
    read: () => undefined,
    run: ({ logins }) => logins.getSelf,
    write: (member, request) => answer(200, formatMember(member, request)),
  }),
];

async function readUserLogin(request: RoutedRequest): Promise<LoginInput> {
  const { username, password } = membersOf(await request.json(loginLimit));
  if (!isText(username) || !isText(password)) throw new FolioRefusal(400, "Improperly formatted request");
  return { who: { name: username }, password, peer: { address: request.wire.peerAddress } };
}

async function readLogin(request: RoutedRequest): Promise<LoginInput> {
  const { username, userId, password } = membersOf(await request.json(loginLimit));
  const who = isText(username) ? { name: username } : isText(userId) ? { id: userId } : undefined;
  if (who === undefined) throw new FolioRefusal(400, "You must provide a username or userId");
  if (!isText(password)) throw new FolioRefusal(400, "You must provide a password");
  return { who, password, peer: { address: request.wire.peerAddress } };
}

/** None, for what is no object. */
function membersOf(body: JsonValue): { readonly [name: string]: JsonValue } {
  return typeof body === "object" && body !== null && !Array.isArray(body) ? (body as never) : {};
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === "string" && value !== "";
}

/**
 * The user with what other modules know of one. The user interface takes permissions as objects, and asks for them so;
 * there is no name but the login's, and the API's schema wants a last one.
 */
function formatMember({ tenantName, user, permissions }: Member, { query }: RoutedRequest) {
  const names = permissionNames(permissions);
  const full = query("fullPermissions") === "true";
  return {
    user: { id: user.id, username: user.name, active: true, personal: { lastName: user.name } },
    permissions: {
      userId: user.id,
      permissions: full ? names.map((permissionName) => ({ permissionName, subPermissions: [] })) : names,
    },
    proxiesFor: [],
    servicePointsUser: { userId: user.id, servicePointsIds: [], servicePoints: [] },
    tenant: tenantName,
  };
}

function formatEnds({ access, refresh }: Renewable) {
  return {
    accessTokenExpiration: access.endsAt.toISOString(),
    refreshTokenExpiration: refresh.endsAt.toISOString(),
  };
}

function cookiesOf({ access, refresh }: Renewable): WireResponse["headers"] {
  return {
    "set-cookie": [
      formatCookie("folioAccessToken", access.text, accessSeconds),
      formatCookie("folioRefreshToken", refresh.text, refreshSeconds),
    ],
  };
}

function answer(status: number, body: Printable, headers: WireResponse["headers"] = {}): WireResponse {
  return { status, headers: { "content-type": json, "cache-control": "no-store", ...headers }, body: prettyJson(body) };
}
