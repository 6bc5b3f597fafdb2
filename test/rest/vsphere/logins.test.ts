import { describe, expect, it } from "vitest";
import { loginHeader } from "../../../src/rest/vsphere/admission.js";
import type { Family } from "../../../src/rest/vsphere/call.js";
import { table } from "../../../src/rest/vsphere/table.js";
import { buildRequest, facts, password, refusalOf, useFace } from "./face-scene.js";

const scene = useFace();
const basic = (login: string, word = password) => `Basic ${Buffer.from(`${login}:${word}`).toString("base64")}`;
const served = (name: string) =>
  table.find(({ operation }) => operation.service === "com.vmware.cis.session" && operation.name === name)!;

interface Sent {
  readonly headers?: Record<string, string>;
  readonly path?: string;
  readonly family?: Family;
  readonly origin?: string;
  readonly peerAddress?: string;
}

/** What the table's line for an operation says, and its headers. */
async function run(name: string, { headers = {}, family = "rest", ...sent }: Sent) {
  const line = served(name);
  const { call } = await scene.admit(buildRequest({ headers, ...sent }), facts(line.admits, family));
  const output = await line.run({ logins: scene.logins } as never, {}, call);
  return { output, headers: line.headers(output, call) };
}
const logIn = async (name = "vi_uploader", sent: Sent = {}) =>
  run("create", { ...sent, headers: { authorization: basic(name), ...sent.headers } });

describe("a login", () => {
  it.each(["vi_uploader", "default/vi_uploader", "elsewhere/vi_admin"])(
    "is made by %s with a password",
    async (name) => {
      const { output } = await logIn(name, { headers: { "user-agent": "govmomi/0.1" } });
      const { output: seen } = await run("get", { headers: { [loginHeader]: output as string } });
      expect(seen).toEqual({
        user: name.replace("default/", ""),
        created_time: expect.any(Date),
        last_accessed_time: expect.any(Date),
      });
    },
  );

  it("is known by what the client calls itself, however long that is", async () => {
    await logIn("vi_other", { headers: { "user-agent": "x".repeat(2_000) } });
    await logIn("vi_other");
    const { things } = await scene.access.listTokens(
      { userId: scene.members.other.user.id, page: {} },
      await scene.administrator(),
    );
    expect(things.map(({ label }) => label)).toEqual(["vSphere login", "x".repeat(256)]);
  });

  it.each([
    [
      "/rest/com/vmware/cis/session",
      "rest",
      "https://slipway.example",
      "Path=/rest; HttpOnly; SameSite=Strict; Secure",
    ],
    ["/com/vmware/cis/session", "rest", "https://slipway.example", "Path=/com; HttpOnly; SameSite=Strict; Secure"],
    ["/api/session", "api", "http://127.0.0.1:8080", "Path=/api; HttpOnly; SameSite=Strict"],
  ] as const)("at %s comes as a cookie as well, which logging out takes away", async (path, family, from, rest) => {
    const { output, headers } = await logIn("vi_uploader", { path, family, origin: from });
    expect(headers).toEqual({ "set-cookie": `${loginHeader}=${output}; ${rest}` });
    const left = await run("delete", { path, family, origin: from, headers: { cookie: `${loginHeader}=${output}` } });
    expect(left).toEqual({
      output: undefined,
      headers: { "set-cookie": `${loginHeader}=; ${rest}; Max-Age=0` },
    });
  });

  it.each(["true", "false", ""])("comes without a cookie where `vmware-use-header-authn` is %j", async (value) => {
    expect((await logIn("vi_uploader", { headers: { "vmware-use-header-authn": value } })).headers).toEqual({});
  });

  it("is over when its user logs out", async () => {
    const { output } = await logIn();
    const headers = { [loginHeader]: output as string };
    await run("delete", { headers });
    for (const name of ["get", "delete"]) {
      expect(await refusalOf(run(name, { headers }))).toMatchObject({ type: "unauthenticated" });
    }
  });

  it.each([
    ["no header", undefined],
    ["a wrong password", basic("vi_uploader", "wrong")],
    ["nobody's name", basic("nobody_at_all")],
    ["what is no base64", "Basic !!!"],
    ["what has no colon", `Basic ${Buffer.from("name").toString("base64")}`],
    ["another scheme", "Bearer slp_x"],
    ["a ticket of another server", "SIGN token=abc"],
  ])("is not made from %s", async (_words, authorization) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const refused = await refusalOf(run("create", { headers, peerAddress: "192.0.2.77" }));
    expect(refused).toMatchObject({ type: "unauthenticated", status: undefined });
  });

  it("is refused with 429 after too many wrong passwords from one place", async () => {
    const guess = () =>
      refusalOf(run("create", { headers: { authorization: basic("vi_reader", "wrong") }, peerAddress }));
    const peerAddress = "192.0.2.99";
    const answers: (number | undefined)[] = [];
    while (answers.length < 50 && answers.at(-1) !== 429) answers.push((await guess()).status);
    expect(answers.at(-1)).toBe(429);
    expect(answers.slice(0, -1).every((status) => status === undefined)).toBe(true);
  });
});
