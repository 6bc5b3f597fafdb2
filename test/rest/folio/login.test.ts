import { decodeJwt } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { isUploadError, type JsonValue, type Role } from "../../../src/core/index.js";
import type { FolioGate } from "../../../src/rest/folio/admission.js";
import { createGateway } from "../../../src/rest/folio/gateway.js";
import { loginRows } from "../../../src/rest/folio/login-rows.js";
import { createFolioLogins } from "../../../src/rest/folio/logins.js";
import { createOkapiGate } from "../../../src/rest/folio/okapi.js";
import { permissionFacts } from "../../../src/rest/folio/permissions.js";
import type { FolioServices } from "../../../src/rest/folio/services.js";
import { tenantRows } from "../../../src/rest/folio/tenant-rows.js";
import type { RoutedRequest, WireRequest, WireResponse } from "../../../src/rest/kit/index.js";
import { buildRequest, password, refusalOf, useGateScene } from "./gate-scene.js";

const scene = useGateScene();
const tenant = { "x-okapi-tenant": "diku" };
const friend = "https://folio.example";

let ahead = 0;
let gate: FolioGate;
let okapi: FolioGate;
let services: Pick<FolioServices, "access" | "logins">;
beforeAll(() => {
  const deps = {
    access: scene.access,
    tokens: scene.tokens,
    origins: [friend],
    now: () => new Date(Date.now() + ahead),
  };
  gate = createGateway(deps);
  okapi = createOkapiGate(scene);
  services = { access: scene.access, logins: createFolioLogins(deps) };
});

interface Sent {
  readonly headers?: WireRequest["headers"];
  readonly body?: JsonValue;
  readonly query?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly by?: FolioGate;
  readonly peerAddress?: string;
}

/** What a row answers, or status and text of the refusal. */
async function send(line: string, sent: Sent = {}): Promise<WireResponse> {
  const { headers = tenant, body = null, query = {}, params = {}, by = gate, peerAddress = "192.0.2.1" } = sent;
  const row = [...loginRows, ...tenantRows].find((each) => each.line === line)!;
  const [method = "", path = ""] = line.split(" ");
  const wire = buildRequest({ method, path, headers, peerAddress });
  const routed: RoutedRequest = {
    params,
    wire,
    query: (name) => query[name],
    text: async () => JSON.stringify(body),
    json: async () => body,
    raw: () => ({ lengthBytes: undefined, bytes: wire.body }),
  };
  const { call } = await by.admit(wire, row.facts);
  return row.answer(services as FolioServices, routed, call);
}
const refused = async (line: string, sent: Sent = {}) => {
  try {
    return (await send(line, sent)).status;
  } catch (error) {
    return isUploadError(error) ? error.details.reason : refusalOf(error);
  }
};
const bodyOf = (answer: WireResponse) => JSON.parse(answer.body as string);
const words = (role: Role) => ({ username: `diku_${role}`, password });

interface Cookie {
  readonly value: string;
  readonly attributes: string;
}
function cookiesOf({ headers }: WireResponse): Readonly<Record<string, Cookie>> {
  const lines = headers["set-cookie"] as readonly string[];
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value, attributes] = /^([^=]+)=([^;]*); (.*)$/.exec(line)!;
      return [name!, { value: value!, attributes: attributes! }];
    }),
  );
}
/** As a browser sends them to these paths. */
const cookieHeader = (cookies: Readonly<Record<string, Cookie>>) => ({
  ...tenant,
  cookie: Object.entries(cookies)
    .map(([name, { value }]) => `${name}=${value}`)
    .join("; "),
});
/** What the gateway says to whoever shows this. */
async function admits(headers: WireRequest["headers"]) {
  try {
    const facts = permissionFacts("data-import.splitconfig.get");
    return (await gate.admit(buildRequest({ headers }), facts)).user;
  } catch (error) {
    return refusalOf(error);
  }
}

const renewals = ["POST /bl-users/login-with-expiry", "POST /authn/login-with-expiry"] as const;
const logins = ["POST /bl-users/login", "POST /authn/login", ...renewals] as const;
const refreshEnded = [422, [expect.objectContaining({ code: "token.refresh.unprocessable" })]];
const wrong = [
  422,
  [
    {
      message: "Wrong username or wrong password or account blocked",
      type: "error",
      code: "wrong.username.or.wrong.password.or.account.blocked",
    },
  ],
];

describe("POST /bl-users/login", () => {
  it("answers 201 with the user, and a token in a header", async () => {
    const answer = await send("POST /bl-users/login", { body: words("reader") });
    const { user } = scene.members.reader;
    expect(answer).toMatchObject({ status: 201, headers: { "content-type": "application/json" } });
    expect(bodyOf(answer)).toEqual({
      user: { id: user.id, username: "diku_reader", active: true, personal: { lastName: "diku_reader" } },
      permissions: { userId: user.id, permissions: expect.arrayContaining(["data-import.splitconfig.get"]) },
      proxiesFor: [],
      servicePointsUser: { userId: user.id, servicePointsIds: [], servicePoints: [] },
      tenant: "diku",
    });
    const token = answer.headers["x-okapi-token"] as string;
    expect(decodeJwt(token)).toEqual({
      type: "legacy-access",
      sub: "diku_reader",
      user_id: user.id,
      tenant: "diku",
      iat: expect.any(Number),
      jti: expect.stringMatching(/^slp_/),
    });
    expect(await admits({ "x-okapi-token": token })).toBe("diku/diku_reader");
  });

  it("names what the role may do, as words or as objects", async () => {
    const ask = async (role: Role, query = {}) =>
      bodyOf(await send("POST /bl-users/login", { body: words(role), query })).permissions.permissions;
    expect(await ask("reader")).not.toContain("data-import.uploaddefinitions.post");
    expect(await ask("uploader", { expandPermissions: "true" })).toContain("data-import.uploaddefinitions.post");
    expect(await ask("admin", { expandPermissions: "true", fullPermissions: "true" })).toContainEqual({
      permissionName: "data-import.fileExtensions.post",
      subPermissions: [],
    });
  });

  it.each([
    {},
    { username: "a" },
    { password: "a" },
    { username: 1, password },
    [],
    "a",
    null,
    { username: "", password },
  ])("answers 400 to %j", async (body) => {
    expect(await refused("POST /bl-users/login", { body })).toEqual([400, "Improperly formatted request"]);
    expect(await refused("POST /bl-users/login-with-expiry", { body })).toEqual([400, "Improperly formatted request"]);
  });
});

describe("POST /authn/login", () => {
  it("answers 201 with the token in a header and in the body", async () => {
    const answer = await send("POST /authn/login", { body: words("uploader") });
    const token = answer.headers["x-okapi-token"] as string;
    expect([answer.status, bodyOf(answer)]).toEqual([201, { okapiToken: token }]);
    expect(await admits({ ...tenant, "x-okapi-token": token })).toBe("diku/diku_uploader");
  });

  it("takes a user's id for the name", async () => {
    const { id } = scene.members.admin.user;
    const token = async (userId: string) =>
      (await send("POST /authn/login", { body: { userId, password } })).headers["x-okapi-token"] as string;
    expect(await admits({ "x-okapi-token": await token(id.toUpperCase()) })).toBe("diku/diku_admin");
    for (const userId of [scene.stranger.user.id, "nonsense", crypto.randomUUID()]) {
      expect(await refused("POST /authn/login", { body: { userId, password } })).toEqual(wrong);
    }
  });

  it("says what is missing", async () => {
    const noName = [400, "You must provide a username or userId"];
    for (const body of [{}, { password }, { username: "", password }, null, [], { username: 1, password }]) {
      expect(await refused("POST /authn/login", { body })).toEqual(noName);
    }
    for (const body of [{ username: "a" }, { userId: "a", password: "" }, { username: "a", password: 1 }]) {
      expect(await refused("POST /authn/login-with-expiry", { body })).toEqual([400, "You must provide a password"]);
    }
  });
});

describe.each(logins)("%s", (line) => {
  it("answers 422 to words that are not good, whatever is wrong with them", async () => {
    for (const body of [
      { username: "diku_reader", password: "wrong" },
      { username: "nobody", password },
      { username: "diku/diku_reader", password },
      { username: "elsewhere/diku_admin", password },
      { username: "x".repeat(10_000), password },
      { username: "diku_reader\u0000", password },
      { username: "diku_reader", password: "x".repeat(10_000) },
    ]) {
      expect(await refused(line, { body, peerAddress: `192.0.2.${10 + logins.indexOf(line)}` })).toEqual(wrong);
    }
  });

  it("knows the users of the tenant in the header alone (P9)", async () => {
    const headers = { "x-okapi-tenant": "elsewhere" };
    expect(await refused(line, { headers, body: words("reader") })).toEqual(wrong);
    expect(await refused(line, { headers, body: words("admin") })).toBe(201);
    expect(await refused(line, { headers: {}, body: { username: "admin", password } })).toBe(201);
    expect(await refused(line, { headers: { "x-okapi-tenant": "nowhere" }, body: words("admin") })).toEqual([
      400,
      "No such Tenant nowhere",
    ]);
  });

  it("takes JSON alone, and gives it", async () => {
    const headers = { ...tenant, "content-type": "text/plain" };
    expect(await refused(line, { headers, body: words("reader") })).toEqual([
      400,
      'Content-type header must be ["application/json"] but it is "text/plain"',
    ]);
    expect(await refused(line, { headers: { ...tenant, accept: "text/html" } })).toContain(400);
  });

  it("slows down whoever guesses, from where the guesses come", async () => {
    const body = { username: `guessed by ${line.replaceAll("/", " ")}`, password };
    const from = (peerAddress: string) => refused(line, { body, peerAddress });
    for (let n = 0; n < 5; n++) expect(await from("198.51.100.1")).toEqual(wrong);
    expect(await from("198.51.100.1")).toBe("LOGIN_THROTTLED");
    expect(await from("198.51.100.2")).toEqual(wrong);
  });
});

describe.each(renewals)("%s", (line) => {
  it("answers 201 with two cookies and when they end", async () => {
    const began = Date.now();
    const answer = await send(line, { body: words("reader") });
    expect(answer.status).toBe(201);
    const body = bodyOf(answer);
    const { accessTokenExpiration, refreshTokenExpiration } = body.tokenExpiration ?? body;
    expect(body.tenant).toBe(line.startsWith("POST /bl-users") ? "diku" : undefined);
    const lasts = (end: string) => Math.round((Date.parse(end) - began) / 60_000);
    expect([lasts(accessTokenExpiration), lasts(refreshTokenExpiration)]).toEqual([10, 7 * 24 * 60]);

    const { folioAccessToken, folioRefreshToken } = cookiesOf(answer);
    expect(folioAccessToken!.attributes).toBe("Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Strict");
    expect(folioRefreshToken!.attributes).toBe("Max-Age=604800; Path=/authn; HttpOnly; Secure; SameSite=Strict");
    const exp = Math.floor(Date.parse(accessTokenExpiration) / 1000);
    expect(decodeJwt(folioAccessToken!.value)).toMatchObject({ type: "access", sub: "diku_reader", exp });
    expect(decodeJwt(folioRefreshToken!.value)).toMatchObject({ type: "refresh", sub: "diku_reader" });
    expect(answer.headers).not.toHaveProperty("x-okapi-token");
    expect(await admits(cookieHeader(cookiesOf(answer)))).toBe("diku/diku_reader");
  });

  it("gives tokens that end, at the server too", async () => {
    await send(line, { body: words("uploader") });
    const { user } = scene.members.uploader;
    const { things } = await scene.store.listTokens(user.id, { limit: 2 });
    const lives = things.map(({ label, endsAt, createdAt }) => [label, endsAt!.getTime() - createdAt.getTime()]);
    expect(Object.fromEntries(lives)).toEqual({ "FOLIO login": 600_000, "FOLIO refresh": 604_800_000 });
  });
});

describe("POST /authn/refresh", () => {
  const refresh = (headers: WireRequest["headers"]) => send("POST /authn/refresh", { headers });
  const refusal = (headers: WireRequest["headers"]) => refused("POST /authn/refresh", { headers });
  const invalid = [401, "Invalid token"];
  async function logIn() {
    return cookiesOf(await send("POST /authn/login-with-expiry", { body: words("reader") }));
  }

  it("gives two new tokens for the one in the cookie, once", async () => {
    const first = await logIn();
    const answer = await refresh(cookieHeader(first));
    expect([answer.status, Object.keys(bodyOf(answer))]).toEqual([
      201,
      ["accessTokenExpiration", "refreshTokenExpiration"],
    ]);
    const second = cookiesOf(answer);
    expect(await admits(cookieHeader(second))).toBe("diku/diku_reader");
    expect(await refusal(cookieHeader(first))).toEqual(refreshEnded);
    expect((await refresh(cookieHeader(second))).status).toBe(201);
  });

  it("of many that ask with one token at the same time answers one", async () => {
    const headers = cookieHeader(await logIn());
    const answers = await Promise.all(Array.from({ length: 8 }, () => refusal(headers)));
    expect(answers.filter((answer) => answer === 201)).toHaveLength(1);
    expect(answers.filter((answer) => answer !== 201)).toEqual(Array(7).fill(refreshEnded));
  });

  it("works when the other token has ended, until this one has", async () => {
    const headers = cookieHeader(await logIn());
    ahead = 601_000;
    expect(await admits(headers)).toEqual(invalid);
    ahead = 604_801_000;
    expect(await refusal(headers)).toEqual(refreshEnded);
    ahead = 601_000;
    expect(await refusal(headers)).toBe(201);
    ahead = 0;
  });

  it("takes no other token, and none but in the cookie", async () => {
    const { folioAccessToken, folioRefreshToken } = await logIn();
    const cookie = (value: string) => ({ ...tenant, cookie: `folioRefreshToken=${value}` });
    const { token } = await scene.tokenOf(scene.members.reader);
    for (const value of [folioAccessToken!.value, token, "nonsense", `${folioRefreshToken!.value}x`]) {
      expect(await refusal(cookie(value))).toEqual(refreshEnded);
    }
    const missing = [400, "The cookie folioRefreshToken is missing"];
    expect(await refusal(tenant)).toEqual(missing);
    expect(await refusal({ ...tenant, "x-okapi-token": folioRefreshToken!.value })).toEqual(missing);
    expect(await refusal({ ...cookie(folioRefreshToken!.value), origin: "https://evil.example" })).toEqual(missing);
    expect(await refusal({ ...cookie(folioRefreshToken!.value), origin: friend })).toBe(201);
  });

  it("is all that its token is good for, also when that is taken out of it", async () => {
    const cookies = await logIn();
    const { jti } = decodeJwt(cookies.folioRefreshToken!.value);
    const { jti: own } = decodeJwt(cookies.folioAccessToken!.value);
    expect(await admits({ "x-okapi-token": cookies.folioRefreshToken!.value })).toEqual(invalid);
    expect(await admits({ "x-okapi-token": jti })).toEqual(invalid);
    expect(await admits({ "x-okapi-token": own })).toBe("diku/diku_reader");
  });

  it("is for the tenant of the token (P9)", async () => {
    const headers = cookieHeader(await logIn());
    expect(await refusal({ ...headers, "x-okapi-tenant": "elsewhere" })).toEqual([403, "Invalid token"]);
    expect(await refusal({ cookie: headers.cookie })).toBe(201);
  });

  it("ends with the user's password", async () => {
    const { user } = scene.members.uploader;
    const cookies = cookiesOf(await send("POST /authn/login-with-expiry", { body: words("uploader") }));
    const admin = await scene.access.principalOf({ tenantId: scene.diku.id, userId: scene.members.admin.user.id });
    await scene.access.updateUser({ userId: user.id, password }, admin);
    expect(await refusal(cookieHeader(cookies))).toEqual(refreshEnded);
  });
});

describe("POST /authn/logout", () => {
  it("answers 204, ends both tokens and clears the cookies, however often it is asked", async () => {
    const headers = cookieHeader(cookiesOf(await send("POST /bl-users/login-with-expiry", { body: words("reader") })));
    for (let n = 0; n < 2; n++) {
      const answer = await send("POST /authn/logout", { headers });
      expect(answer.status).toBe(204);
      expect(cookiesOf(answer)).toEqual({
        folioAccessToken: { value: "", attributes: "Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict" },
        folioRefreshToken: { value: "", attributes: "Max-Age=0; Path=/authn; HttpOnly; Secure; SameSite=Strict" },
      });
      expect(await admits(headers)).toEqual([401, "Invalid token"]);
      expect(await refused("POST /authn/refresh", { headers })).toEqual(refreshEnded);
    }
  });

  it("ends a token in a header, and no other one of the user", async () => {
    const logIn = async () =>
      (await send("POST /authn/login", { body: words("reader") })).headers["x-okapi-token"] as string;
    const [one, other] = [await logIn(), await logIn()];
    await send("POST /authn/logout", { headers: { ...tenant, "x-okapi-token": one } });
    expect(await admits({ "x-okapi-token": one })).toEqual([401, "Invalid token"]);
    expect(await admits({ "x-okapi-token": other })).toBe("diku/diku_reader");
  });

  it("without a token ends none, and does not mind; from a stranger's page neither", async () => {
    expect((await send("POST /authn/logout")).status).toBe(204);
    const headers = cookieHeader(cookiesOf(await send("POST /authn/login-with-expiry", { body: words("reader") })));
    await send("POST /authn/logout", { headers: { ...headers, origin: "https://evil.example" } });
    expect(await admits(headers)).toBe("diku/diku_reader");
  });
});

describe("GET /bl-users/_self", () => {
  it("answers with whoever asks, as a login does", async () => {
    const login = await send("POST /bl-users/login", { body: words("admin") });
    const headers = { "x-okapi-token": login.headers["x-okapi-token"] as string };
    const answer = await send("GET /bl-users/_self", { headers });
    expect([answer.status, bodyOf(answer)]).toEqual([200, bodyOf(login)]);
    const text = "Token missing, access requires permission: users-bl.item.get";
    expect(await refused("GET /bl-users/_self")).toEqual([400, text]);
  });
});

describe("/_/tenant", () => {
  const headers = { "x-okapi-tenant": "fresh" };
  const enable = (body: JsonValue) => refused("POST /_/tenant", { by: okapi, headers, body });

  it("makes the tenant that a module is enabled for, and does not mind that it is there", async () => {
    const find = () => scene.access.findTenant({ name: "fresh" });
    for (const body of [{}, { module_from: "a-1" }, { module_from: "a-1", purge: false }]) {
      expect([body, await enable(body), await find()]).toEqual([body, 204, undefined]);
    }
    expect(await enable({ module_to: "slipway-1.0.0" })).toBe(204);
    const made = await find();
    expect(made).toMatchObject({ name: "fresh" });
    expect(await enable({ module_from: "slipway-1.0.0", module_to: "slipway-1.0.1" })).toBe(204);
    expect(await find()).toEqual(made);
  });

  it("purges nothing, and says so", async () => {
    const text = "A tenant's data is not purged through this interface";
    expect(await enable({ module_from: "slipway-1.0.0", purge: true })).toEqual([501, text]);
  });

  it("has no jobs", async () => {
    for (const method of ["GET", "DELETE"]) {
      const sent = { by: okapi, headers, params: { id: "7" } };
      expect(await refused(`${method} /_/tenant/{id}`, sent)).toEqual([404, "Job not found 7"]);
    }
  });

  it("refuses names that no tenant can have", async () => {
    const sent = { by: okapi, headers: { "x-okapi-tenant": "a/b" }, body: { module_to: "slipway-1.0.0" } };
    expect(await refused("POST /_/tenant", sent)).toBe("NAME_INVALID");
  });
});
