import { describe, expect, it } from "vitest";
import { Audience, Role } from "../../gen/slipway/upload/v1/access_pb.js";
import { FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { messagesOf as blobMessages, isStored, refOf } from "../support/blob-messages.js";
import { pseudoRandom } from "../support/bodies.js";
import { mainWires, refusalOf, type TestClient } from "../support/client.js";
import { adminPassword, logIn } from "../support/server.js";
import {
  addFile,
  addSomebody,
  addStranger,
  as,
  deferred,
  messagesOf,
  type Somebody,
  startSession,
  statusOf,
  useServer,
} from "./scene.js";

const server = useServer(() => ({
  env: { SLIPWAY_CHECKPOINT_BYTES: "64KiB", SLIPWAY_CHECKPOINT_INTERVAL: "100ms", SLIPWAY_TOKEN_TTL: "2h" },
}));
const client = () => server.client("connect/1.1");
const tokenInvalid = { code: "UNAUTHENTICATED", reason: "TOKEN_INVALID" };
/** Five seconds are promised for what others do; what this server did it knows at once. */
const patience = { timeout: 50_000, interval: 100 };

const isIn = async (somebody: { token: string }) =>
  client()
    .access.whoAmI({}, as(somebody))
    .then(
      () => true,
      () => false,
    );

describe.each(mainWires)("over %s", (wire) => {
  const { access } = { access: () => server.client(wire).access };

  it("a login answers a token for this API, its user, and when it ends", async () => {
    const words = { login: "default/admin", password: adminPassword, label: "mine" };
    const { token, accessToken, user } = await access().login(words);
    expect(token).toMatch(/^slp_[\w-]{43}$/);
    expect(user).toMatchObject({ name: "admin", role: Role.ADMIN });
    expect(accessToken).toMatchObject({ audience: Audience.RPC, label: "mine", userId: user!.id });
    expect(accessToken!.expireTime!.seconds - accessToken!.createTime!.seconds).toBe(7_200n);
    expect(accessToken!.absoluteExpireTime).toBeUndefined();
    const me = await access().whoAmI({}, as({ token }));
    expect(me).toMatchObject({ user, tenant: { name: "default" }, accessToken: { id: accessToken!.id } });
    await access().logout({}, as({ token }));
    expect(await refusalOf(access().whoAmI({}, as({ token })))).toMatchObject(tokenInvalid);
  });

  it("a tenant, its users and their tokens come and go", async () => {
    const { tenant } = await access().createTenant({
      name: `\u00e9quipe ${wire} ${crypto.randomUUID()}`.slice(0, 40).replace("/", "-"),
    });
    const tenantId = tenant!.id;
    const { user } = await access().createUser({
      tenantId,
      name: "ad\u00e4",
      password: "p\u00e4ssw\u00f6rd",
      role: Role.ADMIN,
    });
    const login = `${tenant!.name}/ad\u00e4`;
    const { token } = await access().login({ login, password: "p\u00e4ssw\u00f6rd" });
    expect((await access().listUsers({}, as({ token }))).users).toEqual([user]);
    const { user: changed } = await access().updateUser({ userId: user!.id, role: Role.READER });
    expect(changed).toMatchObject({ id: user!.id, role: Role.READER });
    expect(await refusalOf(access().listUsers({}, as({ token })))).toMatchObject({ code: "PERMISSION_DENIED" });
    expect((await access().getUser({ userId: user!.id }, as({ token }))).user).toEqual(changed);
    await access().deleteTenant({ tenantId });
    expect(await refusalOf(access().whoAmI({}, as({ token })))).toMatchObject(tokenInvalid);
    expect((await access().listTenants({})).tenants.some(({ id }) => id === tenantId)).toBe(false);
  });

  it("letters that can be written in two ways make one password", async () => {
    const { name: login } = await addSomebody(server.client(wire), { password: "caf\u00e9 cr\u00e8me" });
    expect((await access().login({ login, password: "cafe\u0301 cre\u0300me" })).user?.name).toBe(login);
  });
});

describe("roles", () => {
  it("a reader reads, an uploader uploads, an administrator keeps the tenant, that of `default` all of them", async () => {
    const { access, sessions } = client();
    const may = async (somebody: Somebody) => {
      const asked = [
        sessions.listSessions({}, as(somebody)),
        sessions.createSession({}, as(somebody)),
        access.listUsers({}, as(somebody)),
        access.listTenants({}, as(somebody)),
      ];
      return (await Promise.allSettled(asked)).map(({ status }) => status === "fulfilled");
    };
    expect(await may(await addSomebody(client(), { role: Role.READER }))).toEqual([true, false, false, false]);
    expect(await may(await addSomebody(client(), { role: Role.UPLOADER }))).toEqual([true, true, false, false]);
    expect(await may(await addStranger(client()))).toEqual([true, true, true, false]);
    const { userId, ...second } = await addSomebody(client(), { role: Role.ADMIN });
    expect(await may({ userId, ...second })).toEqual([true, true, true, true]);
    await access.deleteUser({ userId });
  });

  it("another tenant's administrator sees nothing of this one (P9)", async () => {
    const { access, sessions } = client();
    const stranger = await addStranger(client());
    const { id: sessionId } = await startSession(client());
    expect(await refusalOf(sessions.getSession({ sessionId }, as(stranger)))).toMatchObject({ code: "NOT_FOUND" });
    expect((await sessions.listSessions({}, as(stranger))).sessions).toEqual([]);
    expect((await access.listUsers({}, as(stranger))).users.map(({ id }) => id)).toEqual([stranger.userId]);
  });

  it("a role that is taken holds from the next call on", async () => {
    const { access, sessions } = client();
    const somebody = await addSomebody(client());
    await sessions.createSession({}, as(somebody));
    await access.updateUser({ userId: somebody.userId, role: Role.READER });
    expect(await refusalOf(sessions.createSession({}, as(somebody)))).toMatchObject({ code: "PERMISSION_DENIED" });
  });
});

describe("tokens", () => {
  it("one for another interface is refused here", async () => {
    const { access } = client();
    for (const audience of [Audience.IMIS, Audience.VSPHERE, Audience.FOLIO, Audience.PERKEEP]) {
      expect(await isIn(await access.createToken({ audience }))).toBe(false);
    }
    expect(await isIn(await access.createToken({}))).toBe(true);
  });

  it("one that is used lives on, one that is not ends", async () => {
    const { access } = client();
    const make = () => access.createToken({ idleTtl: { seconds: 2n } });
    const [used, unused] = [await make(), await make()];
    const endsAt = performance.now() + 5_000;
    while (performance.now() < endsAt) {
      expect(await isIn(used)).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    expect(await isIn(unused)).toBe(false);
  });

  it("are listed to their user while they live, newest first, and never shown again", async () => {
    const { access } = client();
    const somebody = await addSomebody(client());
    const { accessToken, token } = await access.createToken({ label: "second" }, as(somebody));
    const { accessTokens } = await access.listTokens({}, as(somebody));
    expect(accessTokens.map(({ id }) => id)).toEqual([accessToken!.id, somebody.tokenId]);
    await access.revokeToken({ tokenId: accessToken!.id }, as(somebody));
    expect(await isIn({ token })).toBe(false);
    expect((await access.listTokens({}, as(somebody))).accessTokens).toHaveLength(1);
    const { accessTokens: all } = await access.listTokens({ userId: somebody.userId });
    expect(all).toHaveLength(1);
  });

  it("end when the password changes, but for the one that changed it; the old password is good for nothing", async () => {
    const { access } = client();
    const somebody = await addSomebody(client(), { password: "the old one" });
    const { url } = server.get();
    const other = await logIn(url, { login: somebody.name, password: "the old one" });
    const basic = { headers: { authorization: `Basic ${btoa(`${somebody.name}:the old one`)}` } };
    await access.whoAmI({}, basic);
    await access.changePassword({ currentPassword: "the old one", newPassword: "the new one" }, as(somebody));
    expect([await isIn(somebody), await isIn(other)]).toEqual([true, false]);
    expect(await refusalOf(access.whoAmI({}, basic))).toMatchObject(tokenInvalid);
    expect((await logIn(url, { login: somebody.name, password: "the old one" })).status).toBe(401);
    const { token } = await logIn(url, { login: somebody.name, password: "the new one" });
    await access.updateUser({ userId: somebody.userId, password: "a third one" });
    expect([await isIn(somebody), await isIn({ token })]).toEqual([false, false]);
  });
});

describe("an upload under way", () => {
  const content = pseudoRandom(400_000);

  /** Sends 200 000 bytes, lets `happen` happen, and then goes on with a little every 50 ms. */
  async function interrupt(shown: ReturnType<typeof as>, wire: TestClient, happen: () => Promise<unknown>) {
    const { session } = await wire.sessions.createSession({}, shown);
    const { file } = await wire.files.addFile({ sessionId: session!.id, spec: { name: "a.bin" } }, shown);
    const place = { sessionId: session!.id, fileId: file!.id };
    const more = deferred();
    async function* messages() {
      yield* messagesOf(place, content.subarray(0, 200_000), { finish: false });
      await more.promise;
      for (let at = 200_000; at < 400_000; at += 200) {
        const data = content.subarray(at, at + 200) as Uint8Array<ArrayBuffer>;
        yield { message: { case: "chunk" as const, value: { data } } };
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    const ended = refusalOf(wire.files.uploadFile(messages(), shown));
    await expect.poll(() => statusOf(client(), place), patience).toBe(200_000);
    await happen();
    more.resolve();
    return { ended: await ended, place };
  }

  it.each(mainWires)("over %s ends when its token is revoked, and keeps what has arrived (P3)", async (wire) => {
    const somebody = await addSomebody(client());
    const { access } = client();
    const revoke = () => access.revokeToken({ tokenId: somebody.tokenId });
    const { ended, place } = await interrupt(as(somebody), server.client(wire), revoke);
    expect(ended).toMatchObject(tokenInvalid);
    expect(await statusOf(client(), place)).toBeGreaterThanOrEqual(200_000);
  });

  it("ends when its user's password changes, when that is what it was let in with", async () => {
    const somebody = await addSomebody(client(), { password: "the old one" });
    const basic = { headers: { authorization: `Basic ${btoa(`${somebody.name}:the old one`)}` } };
    const change = () => client().access.updateUser({ userId: somebody.userId, password: "the new one" });
    expect((await interrupt(basic, server.client("grpc/2"), change)).ended).toMatchObject(tokenInvalid);
  });

  it("ends when its user may no longer upload", async () => {
    const somebody = await addSomebody(client());
    const demote = () => client().access.updateUser({ userId: somebody.userId, role: Role.READER });
    const { ended } = await interrupt(as(somebody), server.client("grpc/2"), demote);
    expect(ended).toMatchObject({ code: "PERMISSION_DENIED", reason: "PERMISSION_MISSING" });
  });

  it("keeps its token alive by the bytes that flow", async () => {
    const { access } = client();
    const { token, accessToken } = await access.createToken({ idleTtl: { seconds: 2n } });
    const place = await addFile(client());
    async function* messages() {
      const [start, ...chunks] = messagesOf(place, content, { chunkBytes: 20_000 });
      yield start!;
      for (const chunk of chunks) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        yield chunk;
      }
    }
    const { file } = await client().files.uploadFile(messages(), as({ token }));
    expect(file?.state).toBe(FileState.READY);
    expect(await isIn({ token })).toBe(true);
    const { accessTokens } = await access.listTokens({});
    expect(accessTokens.some(({ id }) => id === accessToken!.id)).toBe(true);
  });
});

describe("credentials that end", () => {
  it.each(mainWires)("over %s end a stream of blobs, and those that were whole are kept", async (wire) => {
    const somebody = await addSomebody(client());
    const first = pseudoRandom(100);
    const revoked = deferred();
    async function* messages() {
      yield* blobMessages(first);
      await revoked.promise;
      for (let n = 0; n < 400; n++) {
        yield* blobMessages(pseudoRandom(10, n));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    const ended = refusalOf(server.client(wire).blobs.uploadBlobs(messages(), as(somebody)));
    await expect.poll(() => isStored(client(), refOf(first)), patience).toBe(true);
    await client().access.revokeToken({ tokenId: somebody.tokenId });
    revoked.resolve();
    expect(await ended).toMatchObject(tokenInvalid);
  });

  it.each(mainWires)("over %s end a watch, also when there is nothing to tell", async (wire) => {
    const somebody = await addSomebody(client());
    const { session } = await client().sessions.createSession({}, as(somebody));
    const updates = server.client(wire).sessions.watchSession({ sessionId: session!.id }, as(somebody));
    const watch = updates[Symbol.asyncIterator]();
    await watch.next();
    await client().access.revokeToken({ tokenId: somebody.tokenId });
    async function watchOn() {
      for (let updates = 0; updates < 5; updates++) await watch.next();
    }
    expect(await refusalOf(watchOn())).toMatchObject(tokenInvalid);
  });
});
