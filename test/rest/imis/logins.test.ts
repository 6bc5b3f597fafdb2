import { afterEach, describe, expect, it } from "vitest";
import { imisClient, logIn, refusalOf } from "../../support/imis.js";
import { archive, loginNameOf, type Member, password, useFace } from "./face-scene.js";

const scene = useFace();
afterEach(() => expect(scene.unexpected).toEqual([]));
const open = "session/open.json";
const uploader = () => loginNameOf(scene.members.uploader);

/** What the body with these members is answered; `authentication` is the uploader's, but for what is said. */
async function answerTo({
  authentication = {},
  ...more
}: {
  readonly authentication?: object;
  [name: string]: unknown;
}) {
  const body = { authentication: { username: uploader(), password, ...authentication }, ...more };
  const { status, headers, text } = await scene.nobody().ask("POST", open, { body });
  return { status, headers, ...(JSON.parse(text) as { token?: string; error?: { code: string; message: string } }) };
}

async function labelsOf({ user }: Member): Promise<readonly string[]> {
  const { things } = await scene.access.listTokens({ userId: user.id, page: {} }, await scene.administrator());
  return things.map(({ label }) => label);
}

describe("a session", () => {
  it("is opened by the body that the vendor's page shows, and answered as there", async () => {
    const body = {
      authentication: { username: uploader(), password },
      api_version: 6,
      computer_name: "scanner-7",
      application_name: "capture",
    };
    const answer = await scene.nobody().ask("POST", open, { body });
    expect([answer.status, answer.headers["content-type"], answer.headers["cache-control"]]).toEqual([
      ...[200, "application/json"],
      "no-store",
    ]);
    expect(JSON.parse(answer.text)).toEqual({
      api_version: 6,
      service_name: "Slipway",
      service_version: 700,
      token: expect.stringMatching(/^[A-Za-z0-9_-]{40,64}$/),
    });
    expect((await labelsOf(scene.members.uploader))[0]).toBe("capture/scanner-7");
  });

  it.each([
    ["what was asked for", { api_version: 4 }, 4],
    ["6 where nothing was", {}, 6],
    ["6 where null was", { api_version: null }, 6],
    ["what was asked for beside an impersonation of nobody", { api_version: 5, impersonate: false }, 5],
  ])("tells as api_version %s", async (_what, words, version) => {
    expect(await answerTo(words)).toMatchObject({ status: 200, api_version: version });
  });

  it.each([
    ["a directory's password", { password: undefined, ldap_password: password }],
    ["the same password twice", { ldap_password: password }],
    ["a password and an empty other one", { ldap_password: "" }],
    ["a directory's password and a null", { password: null, ldap_password: password }],
    ["a password beside a ticket", { kerberos5_service_ticket: "AAAA" }],
  ])("is opened by %s", async (_what, authentication) => {
    expect((await answerTo({ authentication })).status).toBe(200);
  });

  it("is known by its application and its computer, as far as they are told, however long they are", async () => {
    const { other } = scene.members;
    for (const more of [
      {},
      { computer_name: "scanner" },
      { application_name: "a".repeat(255), computer_name: "😀\0" },
    ]) {
      await logIn(scene, { archive, user: loginNameOf(other), password, more });
    }
    expect(await labelsOf(other)).toEqual([`${"a".repeat(255)}/`, "scanner", "IMiS login"]);
  });

  it("is its user's own tenant's: a name is of the tenant `default` unless it says another", async () => {
    const { token } = await answerTo({ authentication: { username: loginNameOf(scene.stranger) } });
    const client = imisClient(scene.url, { archive, token: token! });
    const { id } = await scene.makeEntity();
    expect(await refusalOf(client.openEntity(id))).toMatchObject({ status: 404, code: "entity_not_found" });
    client.close();
    expect((await answerTo({ authentication: { username: "imis_uploader" } })).status).toBe(200);
  });
});

describe("the opening of a session is refused", () => {
  it.each([
    ["no body", "", "authentication is missing"],
    ["what is no JSON", "{", expect.stringContaining("the body is not JSON")],
    ["a list", [], "the body must be a JSON object"],
    ["no authentication", {}, "authentication is missing"],
    ["an authentication that is none", { authentication: "me" }, "authentication must be a JSON object"],
    ["no name", { authentication: { password } }, "authentication.username is missing"],
    [
      "a name that is no text",
      { authentication: { username: 7, password } },
      "username must be text in well-formed Unicode",
    ],
    ["no password", { authentication: { username: "a" } }, "authentication.password is missing"],
    [
      "two passwords",
      { authentication: { username: "a", password: "b", ldap_password: "c" } },
      "authentication.password and authentication.ldap_password differ: give one of them",
    ],
    [
      "a ticket alone",
      { authentication: { username: "a", kerberos5_service_ticket: "AAAA" } },
      "authentication.kerberos5_service_ticket is not served here: log in with authentication.password",
    ],
    [
      "an impersonation",
      { authentication: { username: "a", password: "b" }, impersonate: "c" },
      "impersonate is not served here: nobody acts in the name of somebody else",
    ],
    [
      "a version that is none",
      { authentication: { username: "a", password: "b" }, api_version: "6" },
      "api_version must be a whole number from 0 to 2^53-1",
    ],
    [
      "a computer that is no text",
      { authentication: { username: "a", password: "b" }, computer_name: 7 },
      "computer_name must be text in well-formed Unicode",
    ],
  ])("for %s with 400 request_invalid, which says so", async (_what, body, message) => {
    const refused = await refusalOf(scene.nobody().value("POST", open, { body }));
    expect([refused.status, refused.code, refused.text]).toEqual([400, "request_invalid", message]);
  });

  it("for more than 64 KiB with 413 body_too_large", async () => {
    const refused = await refusalOf(scene.nobody().value("POST", open, { body: "x".repeat(64 * 1024 + 1) }));
    expect([refused.status, refused.code]).toEqual([413, "body_too_large"]);
  });

  it.each([
    ["a wrong password", { password: "another one" }],
    ["a user that there is not", { username: "nobody" }],
    ["a name that nobody can have", { username: "a/b/c\0" }],
  ])("for %s with 401, in the same words", async (_what, authentication) => {
    const { status, headers, error } = await answerTo({ authentication });
    expect([status, headers["www-authenticate"], error]).toEqual([
      ...[401, 'Bearer realm="slipway"'],
      {
        code: "unauthenticated",
        message: "there is no such user, or the password is another one",
        status: 401,
        details: {},
      },
    ]);
  });

  it("for an archive that there is not with 404, but only to who has shown the right password", async () => {
    const { admin } = scene.members;
    const words = { archive: "nowhere", user: loginNameOf(admin), password };
    const before = await labelsOf(admin);
    const refused = await refusalOf(logIn(scene, words));
    expect([refused.status, refused.code, refused.text]).toEqual([
      ...[404, "archive_not_found"],
      'there is no archive "nowhere"',
    ]);
    expect(await labelsOf(admin)).toEqual(before);
    expect(await refusalOf(logIn(scene, { ...words, password: "another one" }))).toMatchObject({ status: 401 });
  });

  it.each(["%00", "%F0%9F%98%80", "a".repeat(2_000), "00000000-0000-4000-8000-000000000000", "IARC%2F"])(
    "for an archive called %s as for every other one that there is not",
    async (name) => {
      const body = { authentication: { username: uploader(), password } };
      const refused = await refusalOf(scene.nobody().value("POST", `/archives/${name}/session/open`, { body }));
      expect([refused.status, refused.code]).toEqual([404, "archive_not_found"]);
    },
  );

  it("after too many wrong passwords with 429 and Retry-After, for this name from this address alone", async () => {
    const ask = async (word: string, from: string) => {
      const body = { authentication: { username: loginNameOf(scene.members.other), password: word } };
      return scene.nobody().ask("POST", open, { body, headers: { "x-forwarded-for": from } });
    };
    for (let failures = 0; failures < 6; failures++) await ask(`wrong ${failures}`, "192.0.2.66");
    const { status, headers, text } = await ask(password, "192.0.2.66");
    expect([status, headers["retry-after"], JSON.parse(text).error.code]).toEqual([429, "60", "too_many_requests"]);
    expect((await ask(password, "192.0.2.67")).status).toBe(200);
  });
});

describe("the closing of a session", () => {
  it.each(["POST", "GET"])("by %s ends its token, and is answered 200 with nothing", async (method) => {
    const client = await scene.client();
    const other = await scene.client();
    expect(await client.ask(method, "session/close.json")).toMatchObject({ status: 200, text: "" });
    expect(await refusalOf(client.logOut())).toMatchObject({ status: 401, code: "unauthenticated" });
    expect(await refusalOf(client.openEntity((await scene.makeEntity()).id))).toMatchObject({ status: 401 });
    await other.logOut();
  });

  it("works whatever has become of the archive", async () => {
    const client = await scene.client();
    expect((await client.ask("POST", "/archives/gone/session/close.json")).status).toBe(200);
    expect((await client.ask("POST", "session/close.json")).status).toBe(401);
  });
});
