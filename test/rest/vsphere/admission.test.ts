import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createCapabilities } from "../../../src/access/capabilities.js";
import { createId } from "../../../src/core/index.js";
import { loginHeader } from "../../../src/rest/vsphere/admission.js";
import { createDataUrls } from "../../../src/rest/vsphere/data-urls.js";
import { buildRequest, facts, friend, type Member, origin, refusalOf, useFace } from "./face-scene.js";

const scene = useFace();
/** Bytes that flow for five seconds at most. */
async function useOn(use: () => void): Promise<void> {
  for (let step = 0; step < 500; step++) {
    use();
    await sleep(10);
  }
}
const admit = (headers: Record<string, string>) => scene.admit(buildRequest({ headers }), facts("login"));

describe("a login that is shown", () => {
  it("lets its user in by the header, in the name of this face", async () => {
    const { token, id } = await scene.tokenOf(scene.members.uploader);
    const { call, user } = await admit({ [loginHeader]: token });
    const { caller, userName, login, claim, family } = call;
    expect([user, userName, family, claim]).toEqual(["default/vi_uploader", "vi_uploader", "rest", undefined]);
    expect([caller.origin, caller.userId, login?.id]).toEqual(["vsphere", scene.members.uploader.user.id, id]);
    expect([...caller.permissions]).toEqual(["read", "upload"]);
  });

  it("names the tenant of a user who is not of the tenant `default`", async () => {
    const { token } = await scene.tokenOf(scene.stranger);
    expect((await admit({ [loginHeader]: token })).call.userName).toBe("elsewhere/vi_admin");
  });

  it("may be repeated in the header as it is, and not as another one", async () => {
    const { token } = await scene.tokenOf(scene.members.uploader);
    const { token: other } = await scene.tokenOf(scene.members.uploader);
    expect((await admit({ [loginHeader]: `${token}, ${token}` })).call.userName).toBe("vi_uploader");
    expect(await refusalOf(admit({ [loginHeader]: `${token}, ${other}` }))).toMatchObject({
      type: "unauthenticated",
      text: "the header vmware-api-session-id shows different logins",
    });
  });

  it.each([
    ["nothing that says where it comes from", {}],
    ["a page of this server", { origin, "sec-fetch-site": "same-origin" }],
    ["a page of an origin in the configuration", { origin: friend, "sec-fetch-site": "cross-site" }],
  ])("counts as a cookie from %s", async (_from, headers) => {
    const { token } = await scene.tokenOf(scene.members.reader);
    const { call } = await admit({ cookie: `a=b; ${loginHeader}=${token}`, ...headers });
    expect(call.userName).toBe("vi_reader");
  });

  it.each([
    ["a page of a stranger", { origin: "https://evil.example" }],
    ["a link on a page of a stranger", { "sec-fetch-site": "cross-site" }],
    ["a page without an origin", { origin: "null" }],
  ])("does not count as a cookie from %s", async (_from, headers) => {
    const { token } = await scene.tokenOf(scene.members.reader);
    const refused = await refusalOf(admit({ cookie: `${loginHeader}=${token}`, ...headers }));
    expect(refused).toMatchObject({ type: "unauthenticated", id: "slipway.token_invalid" });
  });

  it("is the header's where a cookie shows another one", async () => {
    const { token } = await scene.tokenOf(scene.members.reader);
    const { token: other } = await scene.tokenOf(scene.members.uploader);
    const { call } = await admit({ [loginHeader]: token, cookie: `${loginHeader}=${other}` });
    expect(call.userName).toBe("vi_reader");
  });

  it.each(["", "slp_nothing", `slp_${"A".repeat(43)}`, "Bearer x"])("is refused with 401 as %j", async (token) => {
    expect(await refusalOf(admit({ [loginHeader]: token }))).toMatchObject({
      type: "unauthenticated",
      id: "slipway.token_invalid",
    });
  });

  it("is refused when it was made for another face", async () => {
    const { token } = await scene.tokenOf(scene.members.uploader, "rpc");
    expect(await refusalOf(admit({ [loginHeader]: token }))).toMatchObject({ type: "unauthenticated" });
  });

  it("is refused once it was revoked, and ends what it lets do", async () => {
    const { token, id } = await scene.tokenOf(scene.members.uploader);
    const { use } = await admit({ [loginHeader]: token });
    use();
    await scene.access.revokeToken({ tokenId: id }, await scene.administrator());
    expect(await refusalOf(admit({ [loginHeader]: token }))).toMatchObject({ type: "unauthenticated" });
    await expect(useOn(use)).rejects.toMatchObject({ code: "unauthenticated" });
  });
});

describe("a URL of content", () => {
  const upload = async (member: Member) => {
    const call = await scene.callOf(member);
    const ids = { tenantId: member.tenant.id, sessionId: createId(), id: createId(), name: "disk 1.vmdk" };
    return new URL(scene.dataUrls.forUpload(ids as never, 1, call)).pathname;
  };
  const download = async (member: Member) => {
    const ids = { downloadSessionId: createId(), contentId: createId(), name: "disk 1.vmdk" };
    return new URL(scene.dataUrls.forDownload(ids, await scene.callOf(member))).pathname;
  };
  const enter = (path: string, headers: Record<string, string> = {}) =>
    scene.admit(buildRequest({ path, headers }), facts("nothing"));
  const nowhere = { type: "not_found", id: "slipway.no_such_url" };

  it("lets in whoever has it, in the name of the user it was made for", async () => {
    const { call, user } = await enter(await upload(scene.members.uploader));
    expect([user, call.userName, call.login]).toEqual(["default/vi_uploader", "vi_uploader", undefined]);
    expect(call.caller).toMatchObject({ origin: "vsphere", userId: scene.members.uploader.user.id });
    expect(call.claim).toMatchObject({ purpose: "upload", attempt: 1 });
  });

  it("may leave out `/rest`", async () => {
    const path = (await upload(scene.members.uploader)).replace(/^\/rest/, "");
    expect((await enter(path)).call.claim?.purpose).toBe("upload");
  });

  it.each(["nonsense", `slp_${"A".repeat(43)}`])("needs no login, and does not look at %s beside it", async (login) => {
    const { call } = await enter(await upload(scene.members.uploader), { [loginHeader]: login });
    expect([call.userName, call.login]).toEqual(["vi_uploader", undefined]);
  });

  it("leads nowhere when it is forged", async () => {
    const path = await upload(scene.members.uploader);
    const [before = "", token = "", after = ""] = /^(.*\/data\/)([^/]+)(\/.*)$/.exec(path)!.slice(1);
    const forged = createDataUrls({
      capabilities: createCapabilities({ key: new Uint8Array(32) }),
      now: scene.now,
    });
    const ids = { downloadSessionId: createId(), contentId: createId(), name: "a" };
    const others = [
      new URL(forged.forDownload(ids, await scene.callOf(scene.members.uploader))).pathname,
      `${before}${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}${after}`,
      `${before}${token.slice(1)}${after}`,
      `${before}${token}=${after}`,
      `${before}${after}`,
    ];
    for (const other of others) expect(await refusalOf(enter(other))).toMatchObject(nowhere);
    expect((await enter(path)).call.userName).toBe("vi_uploader");
  });

  it("leads nowhere after its week", async () => {
    const late = new Date(scene.now().getTime() + 8 * 86_400_000 + 1);
    const capabilities = createCapabilities({ key: new Uint8Array(32) });
    const urls = createDataUrls({ capabilities, now: () => scene.now() });
    const ids = { downloadSessionId: createId(), contentId: createId(), name: "a" };
    const url = urls.forDownload(ids, await scene.callOf(scene.members.uploader));
    const token = new URL(url).pathname.split("/")[6]!;
    expect(urls.verify(token)).toBeDefined();
    expect(createDataUrls({ capabilities, now: () => late }).verify(token)).toBeUndefined();
  });

  it("to send leads nowhere for whoever may only read, and to read for nobody who is gone", async () => {
    const member = await scene.opened.metadata.createUser({
      id: createId(),
      tenantId: scene.members.admin.tenant.id,
      name: `vi_${createId().slice(0, 8)}`,
      role: "uploader",
      password: undefined,
    });
    const { caller, wire } = await scene.callOf(scene.members.uploader);
    const call = { caller: { ...caller, userId: member.user.id }, wire } as never;
    const ids = { tenantId: member.tenant.id, sessionId: createId(), id: createId(), name: "a" };
    const sending = new URL(scene.dataUrls.forUpload(ids as never, 1, call)).pathname;
    const reading = new URL(
      scene.dataUrls.forDownload({ downloadSessionId: createId(), contentId: createId(), name: "a" }, call),
    ).pathname;
    const { use } = await enter(sending);
    await scene.access.updateUser({ userId: member.user.id, role: "reader" }, await scene.administrator());
    expect(await refusalOf(enter(sending))).toMatchObject(nowhere);
    expect((await enter(reading)).call.claim?.purpose).toBe("download");
    await scene.access.deleteUser({ userId: member.user.id }, await scene.administrator());
    expect(await refusalOf(enter(reading))).toMatchObject(nowhere);
    await expect(useOn(use)).rejects.toMatchObject({ type: "not_found" });
  });

  it("to read is for everyone who may read", async () => {
    expect((await enter(await download(scene.members.reader))).call.claim?.purpose).toBe("download");
  });
});
