// The server as its own gateway: who comes in with which token.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Role } from "../../../gen/slipway/upload/v1/access_pb.js";
import { openClient } from "../../support/client.js";
import { type HttpAnswer, type HttpClient, openHttp } from "../../support/http.js";
import { startServer, type TestServer } from "../../support/server.js";
import { ben, definitionsPath } from "./folio-server.js";
import { json } from "./shown.js";

const password = "a password of Ann";
let server: TestServer;
let http: HttpClient;
/** Of tenant `diku`: one who may upload, and one who may only read. Of tenant `elsewhere`: one with the same name. */
const tokens: Record<"uploader" | "reader" | "stranger", string> = { uploader: "", reader: "", stranger: "" };
const ids = { uploader: "", reader: "", stranger: "" };

beforeAll(async () => {
  server = await startServer({ env: { SLIPWAY_DURABILITY: "os" } });
  http = openHttp(server.url, "1.1");
  const { access, close } = openClient(server);
  for (const [who, tenant, name, role] of [
    ["uploader", "diku", "diku_admin", Role.UPLOADER],
    ["reader", "diku", "diku_reader", Role.READER],
    ["stranger", "elsewhere", "diku_admin", Role.UPLOADER],
  ] as const) {
    const { tenants } = await access.listTenants({});
    const there = tenants.find((one) => one.name === tenant) ?? (await access.createTenant({ name: tenant })).tenant;
    const { user } = await access.createUser({ tenantId: there!.id, name, role, password });
    ids[who] = user!.id;
    const body = Buffer.from(JSON.stringify({ username: name, password }));
    const headers = { ...json, "x-okapi-tenant": tenant };
    const answer = await http.ask({ method: "POST", path: "/authn/login", headers, body });
    expect(answer.status).toBe(201);
    tokens[who] = answer.headers["x-okapi-token"]!;
  }
  close();
});
afterAll(async () => {
  http.close();
  await server.kill();
});

const told = ({ status, headers, body }: HttpAnswer) => ({
  status,
  type: headers["content-type"],
  text: body.toString("utf8"),
});
const text = (status: number, words: string) => ({ status, type: "text/plain", text: words });
const ask = (headers: Record<string, string>) => http.ask({ method: "GET", path: definitionsPath, headers });
const create = (headers: Record<string, string>) =>
  http.ask({
    method: "POST",
    path: definitionsPath,
    headers: { ...json, ...headers },
    body: Buffer.from('{"fileDefinitions":[{"name":"a.mrc"}]}'),
  });

describe("a definition", () => {
  it("is made by a user of the tenant, and is that user's", async () => {
    const made = await create({ "x-okapi-tenant": "diku", "x-okapi-token": tokens.uploader });
    const { id, metadata } = JSON.parse(made.body.toString("utf8")) as { id: string; metadata: Record<string, string> };
    expect([made.status, metadata.createdByUserId]).toEqual([201, ids.uploader]);
    const path = `${definitionsPath}/${id}`;
    const read = (who: keyof typeof tokens) =>
      http.ask({ method: "GET", path, headers: { "x-okapi-token": tokens[who] } });
    expect(told(await read("reader"))).toEqual(told(await read("uploader")));
    expect(told(await read("stranger"))).toEqual(text(404, `Upload Definition with id '${id}' not found`));
  });
});

describe("a token", () => {
  it.each([
    ["x-okapi-token", () => ({ "x-okapi-token": tokens.uploader })],
    ["authorization", () => ({ authorization: `Bearer ${tokens.uploader}` })],
    ["cookie", () => ({ cookie: `folioAccessToken=${tokens.uploader}` })],
  ])("is shown in %s, and names the tenant", async (_header, headers) => {
    expect((await ask(headers() as Record<string, string>)).status).toBe(200);
  });

  it("of another tenant answers 403", async () => {
    const headers = { "x-okapi-tenant": "diku", "x-okapi-token": tokens.stranger };
    expect(told(await ask(headers))).toEqual(text(403, "Invalid token"));
  });

  it("of another user than the header names answers 403", async () => {
    const headers = { "x-okapi-token": tokens.uploader, "x-okapi-user-id": ben };
    expect(told(await ask(headers))).toEqual(text(403, "Invalid token"));
  });

  it("for a tenant that is not there answers 400", async () => {
    const headers = { "x-okapi-tenant": "nowhere", "x-okapi-token": tokens.uploader };
    expect(told(await ask(headers))).toEqual(text(400, "No such Tenant nowhere"));
  });

  it("that differs from the one in another header answers 400", async () => {
    const headers = { "x-okapi-token": tokens.uploader, authorization: `Bearer ${tokens.reader}` };
    const words = "Different tokens in Authentication and X-Okapi-Token. Use only one of them";
    expect(told(await ask(headers))).toEqual(text(400, words));
  });

  it("that is missing answers 400 with the permission", async () => {
    const words = "Token missing, access requires permission: data-import.uploadDefinitions.collection.get";
    expect(told(await ask({ "x-okapi-tenant": "diku" }))).toEqual(text(400, words));
  });

  it.each([
    ["is garbage", () => "garbage"],
    ["is signed by somebody else", () => `${tokens.uploader.split(".").slice(0, 2).join(".")}.${"A".repeat(43)}`],
    ["says another user than what was signed", () => forged(tokens.uploader)],
    [
      "is signed by nobody",
      () => `${Buffer.from('{"alg":"none"}').toString("base64url")}.${tokens.uploader.split(".")[1]}.`,
    ],
  ])("that %s answers 401", async (_what, token) => {
    expect(told(await ask({ "x-okapi-tenant": "diku", "x-okapi-token": token() }))).toEqual(text(401, "Invalid token"));
  });

  it("of a user who may not answers 403 with the permission", async () => {
    const words = `Access for user 'diku_reader' (${ids.reader}) requires permission: data-import.uploaddefinitions.post`;
    expect(told(await create({ "x-okapi-token": tokens.reader }))).toEqual(text(403, words));
  });
});

/** The same token with another user in it. */
function forged(token: string): string {
  const [head, claims = "", signature] = token.split(".");
  const said = JSON.parse(Buffer.from(claims, "base64url").toString("utf8")) as object;
  const other = Buffer.from(JSON.stringify({ ...said, user_id: ben })).toString("base64url");
  return [head, other, signature].join(".");
}
