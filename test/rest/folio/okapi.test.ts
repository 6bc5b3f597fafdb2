import { beforeAll, describe, expect, it } from "vitest";
import { createId } from "../../../src/core/index.js";
import type { FolioGate } from "../../../src/rest/folio/admission.js";
import { nobodysId } from "../../../src/rest/kit/index.js";
import { createOkapiGate } from "../../../src/rest/folio/okapi.js";
import { permissionFacts } from "../../../src/rest/folio/permissions.js";
import type { WireRequest } from "../../../src/rest/kit/index.js";
import { answerTo, buildRequest, useGateScene } from "./gate-scene.js";

const scene = useGateScene();
const facts = permissionFacts("data-import.fileExtensions.post");
const userId = "5e1f3a2b-7c4d-5e6f-8a9b-0c1d2e3f4a5b";
const tenant = { "x-okapi-tenant": "diku" };
const tokenOf = (claims: unknown, alphabet: "base64" | "base64url" = "base64url") =>
  [{ alg: "none" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString(alphabet))
    .join(".")
    .concat(".");

let gate: FolioGate;
beforeAll(() => {
  gate = createOkapiGate(scene);
});
const ask = (headers: WireRequest["headers"], path?: string) => answerTo(gate, facts, headers, path);
const callOf = async (headers: WireRequest["headers"]) =>
  (await gate.admit(buildRequest({ headers: { ...tenant, ...headers } }), facts)).call;

describe("the tenant", () => {
  it("must be named, but below /admin", async () => {
    const missing = [400, "Unable to process request Tenant must be set"];
    for (const headers of [{}, { "x-okapi-tenant": "" }, { "x-okapi-token": tokenOf({ tenant: "diku" }) }]) {
      expect(await ask(headers)).toEqual(missing);
      expect(await ask(headers, "/_/tenant")).toEqual(missing);
      expect(await ask(headers, "/admin/health")).toMatchObject({ call: { user: undefined } });
    }
  });

  it("must be there, but where Okapi makes it known", async () => {
    const headers = { "x-okapi-tenant": "nowhere" };
    expect(await ask(headers)).toEqual([400, "No such Tenant nowhere"]);
    expect(await ask(headers, "/_/tenants")).toEqual([400, "No such Tenant nowhere"]);
    for (const path of ["/_/tenant", "/_/tenant/1"]) {
      expect(await ask(headers, path)).toMatchObject({
        call: { tenantName: "nowhere", caller: { tenantId: nobodysId } },
      });
    }
  });
});

describe("the user", () => {
  it("is the one that the header names, in a call of the tenant that may read and upload", async () => {
    const request = buildRequest({ headers: { ...tenant, "x-okapi-user-id": userId.toUpperCase() } });
    expect(await gate.admit(request, facts)).toEqual({
      call: {
        caller: { tenantId: scene.diku.id, userId, permissions: new Set(["read", "upload"]), origin: "folio" },
        signal: request.signal,
        tenantName: "diku",
        user: { id: userId, name: userId },
      },
      user: `diku/${userId}`,
      use: expect.any(Function),
    });
  });

  it.each(["base64", "base64url"] as const)("is the token's where no header names one: %s", async (alphabet) => {
    const token = tokenOf({ sub: "diku_ådmin", user_id: userId, tenant: "other" }, alphabet);
    expect(await callOf({ "x-okapi-token": token })).toMatchObject({
      tenantName: "diku",
      caller: { userId },
      user: { id: userId, name: "diku_ådmin" },
    });
  });

  it("has the name that the token knows only if it is the same one", async () => {
    const token = (id: string) => ({
      "x-okapi-user-id": userId,
      "x-okapi-token": tokenOf({ sub: "ada", user_id: id }),
    });
    expect((await callOf(token(userId))).user).toEqual({ id: userId, name: "ada" });
    expect((await callOf(token(createId()))).user).toEqual({ id: userId, name: userId });
  });

  it.each([
    ["there is neither", {}],
    ["the header's is no id", { "x-okapi-user-id": "diku_admin" }],
    [
      "the header's is no id, and the token's is one",
      { "x-okapi-user-id": "1", "x-okapi-token": tokenOf({ user_id: userId }) },
    ],
    ["the token's is no id", { "x-okapi-token": tokenOf({ user_id: "'; drop table" }) }],
    ["the token has none", { "x-okapi-token": tokenOf({ sub: "ada" }) }],
    ["the token is none", { "x-okapi-token": "nonsense" }],
    ["the token is half of one", { "x-okapi-token": "e30.eyJ1c2VyX2lk" }],
  ])("is nobody where %s", async (_why, headers) => {
    expect(await callOf(headers)).toMatchObject({ tenantName: "diku", caller: { userId: nobodysId }, user: undefined });
  });
});

it("the media types are looked at", async () => {
  const wants = { ...facts, consumes: "application/json", produces: ["application/json"] };
  expect(await answerTo(gate, wants, { ...tenant, "content-type": "text/plain" })).toEqual([
    400,
    'Content-type header must be ["application/json"] but it is "text/plain"',
  ]);
});

describe("a path that leads nowhere", () => {
  it("is answered as the module does", () => {
    expect(gate.lose(buildRequest({ path: "/a" }), [])).toEqual({
      status: 404,
      headers: { "content-type": "text/html; charset=utf-8" },
      body: "<html><body><h1>Resource not found</h1></body></html>",
    });
    expect(gate.lose(buildRequest(), ["GET"])).toEqual({ status: 405, headers: { allow: "GET" } });
  });
});
