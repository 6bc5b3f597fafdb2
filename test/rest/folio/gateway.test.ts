import { SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { createId, type UploadError } from "../../../src/core/index.js";
import type { FolioGate } from "../../../src/rest/folio/admission.js";
import { createGateway } from "../../../src/rest/folio/gateway.js";
import { permissionFacts, permissionNames } from "../../../src/rest/folio/permissions.js";
import type { WireRequest } from "../../../src/rest/kit/index.js";
import { answerTo, buildRequest, type Member, useGateScene } from "./gate-scene.js";

const scene = useGateScene();
const reading = permissionFacts("data-import.uploadDefinitions.collection.get");
const uploading = permissionFacts("data-import.upload.file.post");
const settings = permissionFacts("data-import.fileExtensions.post");
const invalidToken = (status: number) => [status, "Invalid token"];
const friend = "https://folio.example";

let now = new Date();
let gate: FolioGate;
beforeAll(() => {
  gate = createGateway({ access: scene.access, tokens: scene.tokens, origins: [friend], now: () => now });
});
const ask = (headers: WireRequest["headers"], facts = reading) => answerTo(gate, facts, headers);
const letsIn = ({ user, tenant }: Member) =>
  expect.objectContaining({
    user: `${tenant.name}/${user.name}`,
    call: expect.objectContaining({ tenantName: tenant.name, user: { id: user.id, name: user.name } }),
  });

describe("a token", () => {
  it("lets its user in, with what the role may do, as somebody of this face", async () => {
    const { uploader } = scene.members;
    const request = buildRequest({ headers: { "x-okapi-token": await scene.signFor(uploader) } });
    const { call } = await gate.admit(request, uploading);
    expect(call).toEqual({
      caller: {
        tenantId: scene.diku.id,
        userId: uploader.user.id,
        permissions: new Set(["read", "upload"]),
        origin: "folio",
      },
      signal: request.signal,
      tenantName: "diku",
      user: { id: uploader.user.id, name: "diku_uploader" },
    });
  });

  it("may come in either header, with the tenant or without, and in both when they agree", async () => {
    const { reader } = scene.members;
    const token = await scene.signFor(reader);
    const tenant = { "x-okapi-tenant": "diku" };
    for (const headers of [
      { "x-okapi-token": token },
      { authorization: `Bearer ${token}` },
      { authorization: `bearer  ${token}` },
      { "x-okapi-token": token, authorization: `Bearer ${token}` },
      { "x-okapi-token": token, "x-okapi-user-id": reader.user.id.toUpperCase() },
    ]) {
      expect(await ask(headers)).toEqual(letsIn(reader));
      expect(await ask({ ...headers, ...tenant })).toEqual(letsIn(reader));
    }
  });

  it("that differs in the two headers is refused, whatever they are", async () => {
    const token = await scene.signFor(scene.members.reader);
    const text = "Different tokens in Authentication and X-Okapi-Token. Use only one of them";
    expect(await ask({ "x-okapi-token": token, authorization: "Bearer other" })).toEqual([400, text]);
    expect(await ask({ "x-okapi-token": "a", authorization: `Bearer ${token}` }, {} as never)).toEqual([400, text]);
  });

  it("that is missing is asked for by the permission", async () => {
    const text = "Token missing, access requires permission: data-import.upload.file.post";
    for (const headers of [{}, { "x-okapi-token": "" }, { "x-okapi-tenant": "diku" }, { cookie: "a=b" }]) {
      expect(await ask(headers, uploading)).toEqual([400, text]);
    }
  });

  it("of the server itself is good when it was made for this face", async () => {
    const { uploader } = scene.members;
    const { token } = await scene.tokenOf(uploader);
    expect(await ask({ "x-okapi-token": token })).toEqual(letsIn(uploader));
    expect(await ask({ "x-okapi-token": (await scene.tokenOf(uploader, "rpc")).token })).toEqual(invalidToken(401));
  });

  it("that was made for another face is none, wrapped or not (P9)", async () => {
    const { uploader } = scene.members;
    const { token } = await scene.tokenOf(uploader, "rpc");
    expect(await ask({ "x-okapi-token": await scene.signFor(uploader, { token }) })).toEqual(invalidToken(401));
  });

  it("that only renews a login is none", async () => {
    const token = await scene.signFor(scene.members.reader, { type: "refresh" });
    expect(await ask({ "x-okapi-token": token })).toEqual(invalidToken(401));
  });

  it("that is malformed, forged, unsigned or of nobody is none (P9)", async () => {
    const { admin } = scene.members;
    const good = await scene.signFor(admin);
    const [, payload] = good.split(".");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    const other = new SignJWT({ type: "access", tenant: "diku", jti: (await scene.tokenOf(admin)).token });
    for (const token of [
      "nonsense",
      `${none}.${payload}.`,
      `${good.slice(0, -2)}AA`,
      await other.setProtectedHeader({ alg: "HS256" }).sign(new Uint8Array(32)),
      await scene.signFor(admin, { token: `slp_${"A".repeat(43)}` }),
      await scene.signFor(admin, { token: "" }),
    ]) {
      expect(await ask({ "x-okapi-token": token })).toEqual(invalidToken(401));
    }
    expect(await ask({ authorization: "Basic ZGlrdV9hZG1pbjphZG1pbg==" })).toEqual(invalidToken(401));
  });

  it("is none from when it ends, by what it says or because it was revoked", async () => {
    const { reader } = scene.members;
    const brief = { "x-okapi-token": await scene.signFor(reader, { endsAt: new Date(now.getTime() + 600_000) }) };
    expect(await ask(brief)).toEqual(letsIn(reader));
    now = new Date(now.getTime() + 601_000);
    expect(await ask(brief)).toEqual(invalidToken(401));
    const { token, id } = await scene.tokenOf(reader);
    const revoked = { "x-okapi-token": await scene.signFor(reader, { token }) };
    const { use } = await gate.admit(buildRequest({ headers: revoked }), reading);
    await scene.store.deleteToken(id, {});
    expect(await ask(revoked)).toEqual(letsIn(reader));
    use();
    scene.elapse(5_000);
    expect(await ask(revoked)).toEqual(invalidToken(401));
    const useOnce = () => {
      try {
        return use();
      } catch (error) {
        return (error as UploadError).code;
      }
    };
    await expect.poll(useOnce).toBe("unauthenticated");
  });

  it("of another tenant than the header names, or of another user, is refused (P9)", async () => {
    const { admin } = scene.members;
    const token = await scene.signFor(scene.stranger);
    expect(await ask({ "x-okapi-token": token })).toEqual(letsIn(scene.stranger));
    expect(await ask({ "x-okapi-token": token, "x-okapi-tenant": "diku" })).toEqual(invalidToken(403));
    // What it says of itself is not believed either.
    const dressed = await scene.signFor(scene.stranger, { tenantName: "diku", user: admin.user });
    expect(await ask({ "x-okapi-token": dressed, "x-okapi-tenant": "diku" })).toEqual(invalidToken(403));
    expect(await ask({ "x-okapi-token": dressed })).toEqual(letsIn(scene.stranger));
    for (const id of [admin.user.id, createId(), "nonsense"]) {
      expect(await ask({ "x-okapi-token": token, "x-okapi-user-id": id })).toEqual(invalidToken(403));
    }
  });
});

describe("a tenant that is not there", () => {
  it.each(["nowhere", "DIKU", "di ku", "a/b", "..", "'; drop table tenants"])("is named: %s", async (name) => {
    const token = await scene.signFor(scene.members.reader);
    const refused = [400, `No such Tenant ${name}`];
    expect(await ask({ "x-okapi-token": token, "x-okapi-tenant": name })).toEqual(refused);
    expect(await ask({ "x-okapi-tenant": name })).toEqual(refused);
    expect(await ask({ "x-okapi-tenant": name }, {} as never)).toEqual(refused);
  });
});

describe("a role", () => {
  it.each([
    ["reader", [true, false, false]],
    ["uploader", [true, true, false]],
    ["admin", [true, true, true]],
  ] as const)("%s may read, upload, and change settings: %s", async (role, may) => {
    const member = scene.members[role];
    const headers = { "x-okapi-token": await scene.signFor(member), "x-okapi-tenant": "diku" };
    for (const [index, facts] of [reading, uploading, settings].entries()) {
      const text = `Access for user 'diku_${role}' (${member.user.id}) requires permission: ${facts.permission}`;
      expect(await ask(headers, facts)).toEqual(may[index] ? letsIn(member) : [403, text]);
    }
    const { call } = await gate.admit(buildRequest({ headers }), reading);
    const names = permissionNames(call.caller.permissions);
    expect([reading, uploading, settings].map((facts) => names.includes(facts.permission))).toEqual(may);
  });

  it("that is needed for nothing is not asked for", async () => {
    const self = { permission: "users-bl.item.get" };
    const { reader } = scene.members;
    expect(await ask({ "x-okapi-token": await scene.signFor(reader) }, self as never)).toEqual(letsIn(reader));
    expect(() => permissionFacts("data-import.nonsense")).toThrow(TypeError);
  });
});

describe("where nobody has to be logged in", () => {
  it("a bad token does not matter, and the call may do nothing", async () => {
    const open = {} as never;
    for (const headers of [{}, { "x-okapi-token": "nonsense" }]) {
      const answer = await ask({ ...headers, "x-okapi-tenant": "diku" }, open);
      expect(answer).toMatchObject({ call: { tenantName: "diku", user: undefined } });
      expect(answer).toMatchObject({ call: { caller: { tenantId: scene.diku.id, permissions: new Set() } } });
    }
    expect(await ask({}, open)).toMatchObject({ call: { tenantName: "default" } });
  });

  it("the paths below /admin know no tenant", async () => {
    const headers = { "x-okapi-tenant": "nowhere" };
    expect(await answerTo(gate, {}, headers, "/admin/health")).toMatchObject({ call: { user: undefined } });
    expect(await answerTo(gate, {}, headers, "/administration")).toEqual([400, "No such Tenant nowhere"]);
  });
});

describe("a cookie", () => {
  let cookie: string;
  beforeAll(async () => {
    cookie = `theme=dark; folioAccessToken=${await scene.signFor(scene.members.reader)}; folioRefreshToken=x`;
  });

  it.each([
    ["what is no browser", {}],
    ["a page of this server", { origin: "https://slipway.example" }],
    ["a page of a named origin", { origin: friend }],
    ["the address line", { "sec-fetch-site": "none" }],
    ["a page of this server, without saying which", { "sec-fetch-site": "same-origin" }],
  ])("counts from %s", async (_who, headers) => {
    expect(await ask({ ...headers, cookie })).toEqual(letsIn(scene.members.reader));
  });

  it.each([
    ["a page of a stranger", { origin: "https://evil.example" }],
    ["a page with another scheme", { origin: "http://slipway.example" }],
    ["a page with another port", { origin: "https://slipway.example:8443" }],
    ["a page of nowhere", { origin: "null" }],
    ["a neighbour", { "sec-fetch-site": "same-site" }],
    ["an image on a stranger's page", { "sec-fetch-site": "cross-site" }],
  ])("does not count from %s", async (_who, headers) => {
    const text = `Token missing, access requires permission: ${reading.permission}`;
    expect(await ask({ ...headers, cookie })).toEqual([400, text]);
  });

  it("does not count beside a header", async () => {
    const { uploader } = scene.members;
    expect(await ask({ cookie, "x-okapi-token": await scene.signFor(uploader) })).toEqual(letsIn(uploader));
    expect(await ask({ cookie, "x-okapi-token": "nonsense" })).toEqual(invalidToken(401));
  });
});

describe("the media types", () => {
  const both = ["application/json", "text/plain"];
  const facts = { ...reading, consumes: "application/octet-stream", produces: both };
  const wrongType = (sent: string) => [
    400,
    `Content-type header must be ["application/octet-stream"] but it is "${sent}"`,
  ];
  const wrongAccept = (sent: string) => [
    400,
    `Accept header must be ["application/json","text/plain"] for this request, but it is "${sent}", can not send */*`,
  ];

  it("of a body must be the row's; none said is JSON", async () => {
    const token = { "x-okapi-token": await scene.signFor(scene.members.reader) };
    const send = (type: string | undefined, to = facts) => ask({ ...token, "content-type": type }, to);
    expect(await send("application/octet-stream")).toEqual(letsIn(scene.members.reader));
    expect(await send(" Application/Octet-Stream ;charset=utf-8")).toEqual(letsIn(scene.members.reader));
    expect(await send(undefined)).toEqual(wrongType("application/json"));
    expect(await send("text/plain; charset=utf-8")).toEqual(wrongType("text/plain"));
    expect(await send("")).toEqual(wrongType(""));
    expect(await send(undefined, { ...facts, consumes: "application/json" })).toEqual(letsIn(scene.members.reader));
    expect(await send("x/y", reading as never)).toEqual(letsIn(scene.members.reader));
  });

  it("that the client takes must have one of the row's, or everything", async () => {
    const token = { "x-okapi-token": await scene.signFor(scene.members.reader) };
    const take = (accept: string | undefined) =>
      ask({ ...token, "content-type": "application/octet-stream", accept }, facts);
    for (const accept of [
      undefined,
      "*/*",
      "text/html, */*;q=0.1",
      "application/json",
      "text/plain;q=0",
      "image/png,application/json",
    ])
      expect(await take(accept)).toEqual(letsIn(scene.members.reader));
    for (const accept of ["application/*", "text/html", "image/png, text/html;q=0.5", ""]) {
      expect(await take(accept)).toEqual(wrongAccept(accept));
    }
  });

  it("are looked at after the permission", async () => {
    expect((await ask({ "content-type": "x/y" }, facts)) as unknown[]).toContain(400);
    expect(await ask({ "content-type": "x/y" }, facts)).toEqual([
      400,
      `Token missing, access requires permission: ${reading.permission}`,
    ]);
  });
});

describe("a path that leads nowhere", () => {
  it("is answered as the gateway does, for the tenant that the request names", async () => {
    const lose = (headers: WireRequest["headers"]) => gate.lose(buildRequest({ path: "/a/b", headers }), []);
    const answer = (tenant: string) => ({
      status: 404,
      headers: { "content-type": "text/plain" },
      body: `No suitable module found for path /a/b for tenant ${tenant}`,
    });
    expect(lose({ "x-okapi-tenant": "diku" })).toEqual(answer("diku"));
    expect(lose({ "x-okapi-token": await scene.signFor(scene.stranger) })).toEqual(answer("elsewhere"));
    expect(lose({})).toEqual(answer("supertenant"));
  });

  it("with another method says which it has", () => {
    expect(gate.lose(buildRequest(), ["GET", "POST"])).toEqual({ status: 405, headers: { allow: "GET,POST" } });
  });
});
