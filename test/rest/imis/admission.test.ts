import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createId } from "../../../src/core/index.js";
import { answerError, toImisError } from "../../../src/rest/imis/errors.js";
import { buildRequest, loginNameOf, type Member, password, useFace } from "./face-scene.js";

const scene = useFace({ tokenIdleTtlMs: 600_000 });
const admit = (headers: Record<string, string>) =>
  scene.admit(buildRequest({ headers }), { admits: "login", acts: false });

/** Bytes that flow for five seconds at most. */
async function useOn(use: () => void): Promise<void> {
  for (let step = 0; step < 500; step++) {
    use();
    await sleep(10);
  }
}

async function addMember(): Promise<Member> {
  const { user, tenant } = scene.members.reader;
  const { password: digest } = (await scene.opened.metadata.findAccount({ userId: user.id }))!;
  const id = createId();
  const created = { id, tenantId: tenant.id, name: `user ${id}`, role: "uploader", password: digest! } as const;
  return scene.opened.metadata.createUser(created);
}

describe("a bearer token", () => {
  it("lets its user in, in the name of this face, and says which login it is", async () => {
    const { token, id } = await scene.tokenOf(scene.members.uploader);
    const { call, user } = await admit({ authorization: `bearer ${token}` });
    expect([user, call.login?.id]).toEqual(["default/imis_uploader", id]);
    expect([call.caller.origin, call.caller.userId]).toEqual(["imis", scene.members.uploader.user.id]);
    expect([...call.caller.permissions]).toEqual(["read", "upload"]);
  });

  it.each(["", "no-token", `slp_${"A".repeat(43)}`])(
    "%j that is none is answered 401 in the shape of all errors",
    async (token) => {
      const client = scene.nobody();
      const headers: Record<string, string> = token === "" ? {} : { authorization: `Bearer ${token}` };
      const answer = await client.ask("POST", "session/close.json", { headers });
      expect([answer.status, answer.headers["www-authenticate"]]).toEqual([401, 'Bearer realm="slipway"']);
      expect(JSON.parse(answer.text)).toEqual({
        error: { code: "unauthenticated", message: expect.any(String), status: 401, details: {} },
      });
    },
  );

  it("of another face is not good here, and neither is a name with its password", async () => {
    const { token } = await scene.tokenOf(scene.members.uploader, "rpc");
    const basic = Buffer.from(`${loginNameOf(scene.members.uploader)}:${password}`).toString("base64");
    for (const authorization of [`Bearer ${token}`, `Basic ${basic}`, "Negotiate abc", "Bearer"]) {
      expect(await refusedBy(admit({ authorization }))).toBe("401 unauthenticated");
    }
  });

  it("is not asked for where sessions are opened", async () => {
    const request = buildRequest({ headers: { authorization: "Bearer no-token" } });
    const { call, user } = await scene.admit(request, { admits: "anyone", acts: false });
    expect([user, call.login, call.caller.permissions.size]).toEqual([undefined, undefined, 0]);
  });

  it("is kept alive by bytes that flow (decision 20)", async () => {
    const { token } = await scene.tokenOf(scene.members.uploader);
    const admitted = await admit({ authorization: `Bearer ${token}` });
    for (let minutes = 0; minutes < 30; minutes += 5) {
      admitted.use();
      scene.elapse(300_000);
    }
    admitted.use();
    expect((await admit({ authorization: `Bearer ${token}` })).user).toBe("default/imis_uploader");
  });

  it("ends a request that is under way when it is revoked, and when its user may do less", async () => {
    const member = await addMember();
    const [first, second] = [await scene.tokenOf(member), await scene.tokenOf(member)];
    const revoked = await admit({ authorization: `Bearer ${first.token}` });
    const demoted = await admit({ authorization: `Bearer ${second.token}` });
    await scene.access.revokeToken({ tokenId: first.id }, await scene.administrator());
    expect(await refusedBy(useOn(revoked.use))).toBe("401 unauthenticated");
    await scene.access.updateUser({ userId: member.user.id, role: "reader" }, await scene.administrator());
    expect(await refusedBy(useOn(demoted.use))).toBe("403 access_denied");
  });
});

async function refusedBy(deed: Promise<unknown>): Promise<string> {
  try {
    await deed;
  } catch (error) {
    const refused = toImisError(error);
    if (refused === undefined) throw error;
    return `${answerError(refused).status} ${refused.code}`;
  }
  throw new Error("it was not refused");
}
