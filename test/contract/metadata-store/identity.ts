import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { type Account, createId, type MetadataStore, type TokenCreation, type User } from "../../../src/core/index.js";
import { buildLibrary } from "../../support/builders.js";
import { codeOf, type OpenStore, refusal, startSession, useWorld, wait } from "./world.js";

const hour = 3_600_000;

export function describeIdentity(open: OpenStore): void {
  const world = useWorld(open);

  const digestOf = (text: string) => createHash("sha256").update(text).digest();
  const addUser = (of: Partial<User> & { password?: string } = {}): Promise<Account> =>
    world.store.createUser({
      id: createId(),
      tenantId: world.tenantId,
      name: `user ${createId()}`,
      role: "uploader",
      password: undefined,
      ...of,
    });
  const addToken = (of: Partial<TokenCreation> = {}) =>
    world.store.createToken({
      id: createId(),
      userId: world.userId,
      digest: digestOf("t"),
      audience: "rpc",
      label: "",
      idleTtlMs: hour,
      absoluteTtlMs: undefined,
      ...of,
    });
  const isThere = async (text: string) => (await world.store.findToken(digestOf(text))) !== undefined;
  const namesOf = (things: readonly { readonly name: string }[]) => things.map(({ name }) => name);
  /** The store, and another one over the same database where there can be one. */
  const stores = async (): Promise<readonly [MetadataStore, MetadataStore]> => [
    world.store,
    (await world.openAnother?.()) ?? world.store,
  ];

  it("the first administrator is made once, however many try at the same time, and not again", async () => {
    expect(await world.store.lacksAdministrator()).toBe(true);
    const [one, other] = await stores();
    const tries = [1, 2, 3, 4].map((n) => (n % 2 ? one : other).createFirstAdministrator(`password ${n}`));
    const made = await Promise.all(tries);
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await world.store.lacksAdministrator()).toBe(false);
    const admin = await world.store.findAccountByName("default", "admin");
    expect(admin).toMatchObject({ user: { role: "admin" }, password: `password ${made.indexOf(true) + 1}` });
    expect(await world.store.createFirstAdministrator("again")).toBe(false);
  });

  it("an administrator from before there were passwords is given one, and stays the same user", async () => {
    const { userId } = await world.store.ensureUser("default", "admin");
    expect(await world.store.createFirstAdministrator("first")).toBe(true);
    const account = await world.store.findAccount({ userId });
    expect(account).toMatchObject({ user: { name: "admin", role: "admin" }, password: "first" });
  });

  it("an administrator with a token is one, with a password or not; another tenant's is none", async () => {
    const there = await addUser({ tenantId: world.stranger.tenantId, role: "admin", password: "x" });
    expect(there.tenant.name).toBe("elsewhere");
    expect(await world.store.lacksAdministrator()).toBe(true);
    const { user } = await addUser({ role: "admin" });
    expect(await world.store.lacksAdministrator()).toBe(true);
    await addToken({ userId: user.id });
    expect(await world.store.lacksAdministrator()).toBe(false);
  });

  it("names are unique: a tenant's on the server, a user's in its tenant; case and form of letters matter", async () => {
    const taken = refusal("already_exists", "NAME_TAKEN");
    for (const name of ["acme", "ACME", "\u00e9", "e\u0301"]) await world.store.createTenant({ id: createId(), name });
    await expect(world.store.createTenant({ id: createId(), name: "acme" })).rejects.toEqual(taken);
    for (const name of ["eve", "Eve"]) await addUser({ name });
    await expect(addUser({ name: "eve" })).rejects.toEqual(taken);
    expect((await addUser({ name: "eve", tenantId: world.stranger.tenantId })).tenant.name).toBe("elsewhere");
    expect(await world.store.findAccountByName("acme", "eve")).toBeUndefined();
    expect((await world.store.findAccountByName("elsewhere", "eve"))?.user.tenantId).toBe(world.stranger.tenantId);
  });

  it("a tenant that is to be there is made once, however many ask at the same time, and found by its very name", async () => {
    const [one, other] = await stores();
    const ask = (n: number) => (n % 2 ? one : other).ensureTenant({ id: createId(), name: "diku" });
    const asked = await Promise.all([1, 2, 3, 4].map(ask));
    expect(asked.filter(({ applied }) => applied)).toHaveLength(1);
    const { tenant } = asked.find(({ applied }) => applied)!;
    expect(asked.map((answer) => answer.tenant)).toEqual([tenant, tenant, tenant, tenant]);
    expect(await one.getTenant(tenant.id)).toEqual(tenant);
    expect(await other.findTenantByName("diku")).toEqual(tenant);
    for (const name of ["Diku", "diku ", "dik"]) expect(await one.findTenantByName(name)).toBeUndefined();
    await one.deleteTenant(tenant.id);
    expect(await one.findTenantByName("diku")).toBeUndefined();
    expect((await one.ensureTenant({ id: createId(), name: "diku" })).applied).toBe(true);
  });

  it("of two users with one name at the same time one is made", async () => {
    const name = "twin";
    const codes = await Promise.all([1, 2, 3].map(() => codeOf(addUser({ name }))));
    expect(codes.sort()).toEqual(["already_exists", "already_exists", "ok"]);
  });

  it("a user of a tenant that is not there is not_found", async () => {
    await expect(addUser({ tenantId: createId() })).rejects.toEqual(refusal("not_found", "TENANT_NOT_FOUND"));
    await expect(world.store.getTenant(createId())).rejects.toEqual(refusal("not_found", "TENANT_NOT_FOUND"));
  });

  it("lists are newest first, in pages, and of one tenant or user", async () => {
    for (const name of ["a", "b", "c"]) {
      await addUser({ name });
      await world.store.createTenant({ id: createId(), name });
      await addToken({ label: name, digest: digestOf(name) });
      await wait(2);
    }
    const users = await world.store.listUsers(world.tenantId, { limit: 2 });
    expect(namesOf(users.things)).toEqual(["c", "b"]);
    const { createdAt, id } = users.things[1]!;
    const rest = await world.store.listUsers(world.tenantId, { limit: 9, after: { createdAt, id } });
    expect(namesOf(rest.things)).toEqual(["a", expect.any(String), expect.any(String)]);
    expect(rest.nextCursor).toBeUndefined();
    expect(namesOf((await world.store.listTenants({ limit: 3 })).things)).toEqual(["c", "b", "a"]);
    const tokens = await world.store.listTokens(world.userId, { limit: 2 });
    expect([tokens.things.map(({ label }) => label), tokens.nextCursor !== undefined]).toEqual([["c", "b"], true]);
    expect((await world.store.listTokens(world.colleagueId, { limit: 2 })).things).toEqual([]);
  });

  it("a reference with a tenant finds only that tenant's users (P9)", async () => {
    const ref = { userId: world.userId, tenantId: world.stranger.tenantId };
    const gone = refusal("not_found", "USER_NOT_FOUND");
    expect(await world.store.findAccount(ref)).toBeUndefined();
    await expect(world.store.updateUser(ref, { role: "admin" })).rejects.toEqual(gone);
    await expect(world.store.deleteUser(ref)).rejects.toEqual(gone);
    expect((await world.store.findAccount({ userId: world.userId }))?.user.role).toBe("uploader");
  });

  it("a token is found with its user, its tenant and the database's time", async () => {
    const token = await addToken({ label: "mine", absoluteTtlMs: 2 * hour });
    const found = await world.store.findToken(digestOf("t"));
    expect(found).toMatchObject({ token, user: { id: world.userId, name: "ada" }, tenant: { name: "default" } });
    expect(token).toMatchObject({ tenantId: world.tenantId, audience: "rpc", label: "mine", idleTtlMs: hour });
    expect(token.endsAt!.getTime() - token.createdAt.getTime()).toBe(2 * hour);
    expect(found!.now.getTime()).toBeGreaterThanOrEqual(token.createdAt.getTime());
    expect(await isThere("other")).toBe(false);
    expect(await world.store.findTokenById(token.id)).toEqual({ ...found, now: expect.any(Date) });
    expect(await world.store.findTokenById(createId())).toBeUndefined();
  });

  it.each([
    ["idle", { idleTtlMs: 30 }],
    ["absolute", { absoluteTtlMs: 30 }],
  ])("a token whose %s time is over is not there, and is swept", async (_what, ttl) => {
    const token = await addToken(ttl);
    await addToken({ digest: digestOf("other") });
    await wait(60);
    expect(await isThere("t")).toBe(false);
    expect(await world.store.findTokenById(token.id)).toBeUndefined();
    expect((await world.store.listTokens(world.userId, { limit: 9 })).things).toHaveLength(1);
    await expect(world.store.deleteToken(token.id, {})).rejects.toEqual(refusal("not_found", "TOKEN_NOT_FOUND"));
    expect(await world.store.deleteExpiredRecords(100)).toBe(1);
    expect(await world.store.deleteExpiredRecords(100)).toBe(0);
    expect(await isThere("other")).toBe(true);
  });

  it("uses put off the idle end of many tokens at once, from when they were used, and never the absolute one", async () => {
    const idle = await addToken({ digest: digestOf("idle"), idleTtlMs: 400 });
    const absolute = await addToken({ digest: digestOf("absolute"), absoluteTtlMs: 400 });
    const unused = await addToken({ digest: digestOf("unused"), idleTtlMs: 400 });
    const late = await addToken({ digest: digestOf("late"), idleTtlMs: 100 });
    await wait(200);
    const uses = [idle, absolute, late].map(({ id }) => ({ tokenId: id, agoMs: 10 }));
    await world.store.touchTokens([...uses, { tokenId: createId(), agoMs: 0 }]);
    const touched = (await world.store.findToken(digestOf("idle")))!.token;
    expect(touched.lastUsedAt.getTime() - idle.createdAt.getTime()).toBeGreaterThanOrEqual(180);
    await world.store.touchTokens([{ tokenId: idle.id, agoMs: hour }]);
    expect((await world.store.findToken(digestOf("idle")))!.token.lastUsedAt).toEqual(touched.lastUsedAt);
    expect(await isThere("late")).toBe(false);
    await world.store.touchTokens([{ tokenId: idle.id, agoMs: 0 }]);
    await wait(Math.max(0, unused.createdAt.getTime() + 420 - Date.now()));
    expect(await isThere("unused")).toBe(false);
    expect(await isThere("absolute")).toBe(false);
    await world.store.touchTokens([]);
  });

  it("a token is revoked by those who may, once", async () => {
    const gone = refusal("not_found", "TOKEN_NOT_FOUND");
    const { id } = await addToken();
    for (const owner of [{ userId: world.colleagueId }, { tenantId: world.stranger.tenantId }]) {
      await expect(world.store.deleteToken(id, owner)).rejects.toEqual(gone);
    }
    const codes = await Promise.all([1, 2].map(() => codeOf(world.store.deleteToken(id, { userId: world.userId }))));
    expect(codes.sort()).toEqual(["not_found", "ok"]);
    expect(await isThere("t")).toBe(false);
  });

  it("another password ends the user's tokens, but for one that is kept, and nobody else's", async () => {
    const kept = await addToken({ digest: digestOf("kept") });
    await addToken();
    await addToken({ digest: digestOf("colleague"), userId: world.colleagueId });
    const { password } = await world.store.updateUser(
      { userId: world.userId },
      { password: "p", keepTokenId: kept.id },
    );
    expect(password).toBe("p");
    expect(await Promise.all(["kept", "t", "colleague"].map(isThere))).toEqual([true, false, true]);
    await world.store.updateUser({ userId: world.userId }, { role: "reader" });
    expect(await isThere("kept")).toBe(true);
  });

  it("what depends on a password happens only while it is that one", async () => {
    const { user } = await addUser({ password: "old" });
    const ref = { userId: user.id };
    const gone = refusal("not_found", "USER_NOT_FOUND");
    await expect(addToken({ userId: user.id, ifPassword: "other" })).rejects.toEqual(gone);
    await expect(world.store.updateUser(ref, { password: "new", ifPassword: "other" })).rejects.toEqual(gone);
    await addToken({ userId: user.id, ifPassword: "old" });
    expect((await world.store.updateUser(ref, { password: "new", ifPassword: "old" })).password).toBe("new");
    expect(await isThere("t")).toBe(false);
  });

  it("a login that overlaps a change of the password leaves no token behind", async () => {
    const [one, other] = await stores();
    const { user } = await addUser({ password: "p0" });
    for (let round = 0; round < 20; round++) {
      const [old, next] = [`p${round}`, `p${round + 1}`];
      await Promise.all([
        ...[1, 2, 3].map((n) =>
          codeOf(
            one.createToken({
              id: createId(),
              userId: user.id,
              digest: digestOf(`${round} ${n}`),
              audience: "rpc",
              label: "",
              idleTtlMs: hour,
              absoluteTtlMs: undefined,
              ifPassword: old,
            }),
          ),
        ),
        other.updateUser({ userId: user.id }, { password: next }),
      ]);
      expect((await world.store.listTokens(user.id, { limit: 9 })).things).toEqual([]);
    }
  });

  it("a user who is deleted is gone with the tokens; what the user made stays", async () => {
    const session = await startSession(world);
    await addToken();
    expect((await world.store.deleteUser({ userId: world.userId })).user.name).toBe("ada");
    expect(await isThere("t")).toBe(false);
    expect((await world.store.getSession({ tenantId: world.tenantId, sessionId: session.id })).ownerId).toBe(
      world.userId,
    );
    const gone = refusal("not_found", "USER_NOT_FOUND");
    await expect(world.store.deleteUser({ userId: world.userId })).rejects.toEqual(gone);
    await expect(addToken({ digest: digestOf("late") })).rejects.toEqual(gone);
  });

  it("the tenant `default` keeps its last administrator, another tenant need not", async () => {
    const last = refusal("busy", "LAST_ADMINISTRATOR");
    const { user } = await addUser({ role: "admin" });
    await expect(world.store.deleteUser({ userId: user.id })).rejects.toEqual(last);
    await expect(world.store.updateUser({ userId: user.id }, { role: "uploader" })).rejects.toEqual(last);
    await world.store.updateUser({ userId: user.id }, { role: "admin", password: "p" });
    const { user: second } = await addUser({ role: "admin" });
    expect((await world.store.updateUser({ userId: user.id }, { role: "reader" })).user.role).toBe("reader");
    await expect(world.store.deleteUser({ userId: second.id })).rejects.toEqual(last);
    await world.store.deleteUser({ userId: user.id });
    const { user: elsewhere } = await addUser({ role: "admin", tenantId: world.stranger.tenantId });
    await world.store.deleteUser({ userId: elsewhere.id });
  });

  it("two administrators who take each other's role, or delete each other, at the same time: one stays", async () => {
    const [one, other] = await stores();
    const ways: readonly ((store: MetadataStore, userId: string) => Promise<unknown>)[] = [
      (store, userId) => store.updateUser({ userId }, { role: "reader" }),
      (store, userId) => store.deleteUser({ userId }),
    ];
    const isAdmin = ({ role }: User) => role === "admin";
    for (let round = 0; round < 20; round++) {
      const admins = (await world.store.listUsers(world.tenantId, { limit: 999 })).things.filter(isAdmin);
      while (admins.length < 2) admins.push((await addUser({ role: "admin" })).user);
      const codes = await Promise.all([
        codeOf(ways[round % 2]!(one, admins[0]!.id)),
        codeOf(ways[(round >> 1) % 2]!(other, admins[1]!.id)),
      ]);
      expect(codes.sort()).toEqual(["busy", "ok"]);
    }
  });

  it("a tenant that holds sessions, libraries or blobs, and `default`, is not deleted", async () => {
    const inUse = refusal("busy", "TENANT_IN_USE");
    const { tenantId, userId } = world.stranger;
    await expect(world.store.deleteTenant(world.tenantId)).rejects.toEqual(inUse);
    const session = await startSession(world, { tenantId, ownerId: userId });
    await expect(world.store.deleteTenant(tenantId)).rejects.toEqual(inUse);
    await world.store.deleteSession({ tenantId, sessionId: session.id }, () => undefined);
    const library = await world.store.createLibrary(buildLibrary({ tenantId }));
    await expect(world.store.deleteTenant(tenantId)).rejects.toEqual(inUse);
    await world.store.deleteLibrary(tenantId, library.id);
    const ref = { algorithm: "sha1" as const, digest: "ab".repeat(20) };
    await world.store.insertBlobs([{ tenantId, ref, sizeBytes: 0, blobKey: undefined }]);
    await expect(world.store.deleteTenant(tenantId)).rejects.toEqual(inUse);
    await world.store.removeBlobs(tenantId, [ref]);
    await world.store.deleteTenant(tenantId);
  });

  it("a tenant that is deleted takes its users, their tokens and its records along", async () => {
    const { tenantId, userId } = world.stranger;
    await addToken({ userId });
    await world.store.changeRecords(tenantId, [{ namespace: "n", key: "k", value: 1 }]);
    await world.store.deleteTenant(tenantId);
    expect(await isThere("t")).toBe(false);
    expect(await world.store.findAccount({ userId })).toBeUndefined();
    expect(await world.store.findRecord(tenantId, "n", "k")).toBeUndefined();
    await expect(world.store.deleteTenant(tenantId)).rejects.toEqual(refusal("not_found", "TENANT_NOT_FOUND"));
  });

  it("a user who is made while the tenant is deleted is in it or refused, never left over", async () => {
    const [one, other] = await stores();
    for (let round = 0; round < 10; round++) {
      const { id: tenantId } = await world.store.createTenant({ id: createId(), name: `brief ${round}` });
      const [made] = await Promise.all([codeOf(addUser({ tenantId })), one.deleteTenant(tenantId)]);
      expect(["ok", "not_found"]).toContain(made);
      expect((await other.listUsers(tenantId, { limit: 9 })).things).toEqual([]);
    }
  });
}
