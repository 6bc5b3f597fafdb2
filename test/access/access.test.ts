// Identity over a real store, with a clock of its own: several of them are several processes of one service.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAccess } from "../../src/access/access.js";
import { createPasswords } from "../../src/access/passwords.js";
import {
  type Access,
  type Account,
  createId,
  isUploadError,
  type MetadataStore,
  type Principal,
  type Role,
  UploadError,
} from "../../src/core/index.js";
import { connectDatabase } from "../../src/storage/postgres/connect.js";
import { createMetadataStore } from "../../src/storage/postgres/metadata-store.js";
import { migrate } from "../../src/storage/postgres/migrate.js";
import { copyEmbeddedTemplate } from "../support/embedded-template.js";
import { openTestSchema, postgresAvailable } from "../support/postgres.js";

const passwords = createPasswords();
const password = "a good password";
const here = { address: "192.0.2.1" };
const there = { address: "192.0.2.2" };

let store: MetadataStore;
let digest: string;
let tenantId: string;
let now = 0;
let ended: Account[];
/** What the store cannot do now. */
let away: ReadonlySet<string>;
const asked: string[] = [];
let close: () => Promise<void>;

beforeAll(async () => {
  const dataDir = await copyEmbeddedTemplate();
  const database = await connectDatabase({ dataDir, poolSize: 1, durability: "os" });
  await migrate(database.knex);
  const real = createMetadataStore(database.knex);
  store = new Proxy(real, {
    get(target, name: keyof MetadataStore) {
      asked.push(name);
      if (!away.has(name)) return target[name];
      return () => Promise.reject(new UploadError("unavailable", "away", { reason: "DATABASE_UNAVAILABLE" }));
    },
  });
  away = new Set();
  digest = await passwords.hash(password);
  ({ tenantId } = await store.ensureUser("default", "somebody"));
  await store.createFirstAdministrator(digest);
  close = async () => {
    await real.close();
    await database.close();
  };
});
afterAll(() => close());
beforeEach(() => {
  ended = [];
  away = new Set();
});

function startProcess(over: MetadataStore = store, elapsed = () => now) {
  return createAccess({
    store: over,
    passwords,
    tokenIdleTtlMs: 3_600_000,
    assertReady: () => undefined,
    onPasswordEnded: (account) => ended.push(account),
    onFlushError: () => undefined,
    elapsed,
  });
}

async function addUser(
  role: Role = "uploader",
  over: MetadataStore = store,
): Promise<{ login: string; userId: string }> {
  const name = `user ${createId()}`;
  const { user } = await over.createUser({ id: createId(), tenantId, name, role, password: digest });
  return { login: name, userId: user.id };
}
const show = (access: Access, token: string) => access.authenticate({ kind: "token", token }, "rpc", here);
const showPassword = (access: Access, login: string, shown = password, peer = here) =>
  access.authenticate({ kind: "password", login, password: shown }, "rpc", peer);
const logIn = (access: Access, login: string, shown = password, peer = here) =>
  access.login({ login, password: shown, label: "", audience: "rpc" }, peer);
async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    if (isUploadError(error)) return error.details.reason;
    throw error;
  }
}
/** What `use` throws within a few turns of the loop, each a look at the store. */
async function reasonOfUse(principal: Principal): Promise<string> {
  for (let turn = 0; turn < 50; turn++) {
    const reason = await reasonOf((async () => principal.use())());
    if (reason !== "ok") return reason;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return "ok";
}

describe("a token", () => {
  it("is looked up once in five seconds", async () => {
    const access = startProcess();
    const { token } = await logIn(access, (await addUser()).login);
    asked.length = 0;
    for (let n = 0; n < 100; n++) await show(access, token);
    now += 5_000;
    await show(access, token);
    expect(asked.filter((deed) => deed === "findToken")).toHaveLength(2);
  });

  it("that another process revokes is good for five seconds at most, here and in what runs", async () => {
    const [one, other] = [startProcess(), startProcess()];
    const { token } = await logIn(one, (await addUser()).login);
    const [principal, elsewhere] = [await show(one, token), await show(other, token)];
    await one.logout(principal);
    expect(await reasonOf(show(one, token))).toBe("TOKEN_INVALID");
    expect(await reasonOfUse(principal)).toBe("TOKEN_INVALID");
    elsewhere.use();
    now += 5_000;
    expect(await reasonOf(show(other, token))).toBe("TOKEN_INVALID");
    expect(await reasonOfUse(elsewhere)).toBe("TOKEN_INVALID");
    expect(await reasonOf(other.logout(elsewhere))).toBe("TOKEN_INVALID");
  });

  it("goes on in what runs while the database is away, and ends when that is back", async () => {
    const access = startProcess();
    const { token, accessToken } = await logIn(access, (await addUser()).login);
    const principal = await show(access, token);
    away = new Set(["findToken"]);
    now += 6_000;
    expect(await reasonOf(show(access, token))).toBe("DATABASE_UNAVAILABLE");
    expect(await reasonOfUse(principal)).toBe("ok");
    away = new Set();
    await store.deleteToken(accessToken.id, {});
    now += 1_000;
    expect(await reasonOfUse(principal)).toBe("TOKEN_INVALID");
  });

  it("has its uses taken down once a minute, and at the end", async () => {
    const access = startProcess();
    const { token, accessToken, user } = await logIn(access, (await addUser()).login);
    asked.length = 0;
    const principal = await show(access, token);
    for (let n = 0; n < 1_000; n++) principal.use();
    expect(asked).not.toContain("touchTokens");
    away = new Set(["touchTokens"]);
    await expect(access.stop()).rejects.toMatchObject({ code: "unavailable" });
    away = new Set();
    await access.stop();
    const { things } = await store.listTokens(user.id, { limit: 9 });
    expect(things[0]!.lastUsedAt.getTime()).toBeGreaterThan(accessToken.lastUsedAt.getTime());
  });
});

describe("a token that nobody shows", () => {
  const startUse = async (access: Access, idleTtlMs?: number) => {
    const { login } = await addUser();
    const made = await access.login(
      { login, password, label: "", audience: "vsphere", ...(idleTtlMs !== undefined && { idleTtlMs }) },
      here,
    );
    const { id: tokenId, tenantId: of } = made.accessToken;
    return { ...made, use: access.useToken({ tenantId: of, tokenId }).use, tokenId };
  };
  const isThere = async (tokenId: string) => (await store.findTokenById(tokenId)) !== undefined;
  const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

  it("is kept alive by what goes on under it", async () => {
    const access = startProcess(store, () => performance.now());
    const [used, unused] = [await startUse(access, 1_000), await startUse(access, 1_000)];
    const begin = performance.now();
    while (performance.now() - begin < 2_500) {
      used.use();
      await settle();
    }
    expect([await isThere(used.tokenId), await isThere(unused.tokenId)]).toEqual([true, false]);
    await access.stop();
  });

  it("is looked up once in five seconds, however much goes on", async () => {
    const access = startProcess();
    const { use } = await startUse(access);
    asked.length = 0;
    for (let n = 0; n < 1_000; n++) use();
    await settle();
    for (let n = 0; n < 1_000; n++) use();
    expect(asked.filter((deed) => deed === "findTokenById")).toHaveLength(1);
  });

  it("stays ended when it was revoked, and stops nothing", async () => {
    const access = startProcess();
    const { use, tokenId } = await startUse(access);
    use();
    await settle();
    await store.deleteToken(tokenId, {});
    now += 5_000;
    asked.length = 0;
    for (let n = 0; n < 3; n++) {
      use();
      await settle();
      now += 5_000;
    }
    expect(asked.filter((deed) => deed === "findTokenById")).toHaveLength(1);
    await access.stop();
    expect(await isThere(tokenId)).toBe(false);
  });

  it("is asked for again once the database is back", async () => {
    const access = startProcess();
    const { use, accessToken, user } = await startUse(access);
    away = new Set(["findTokenById"]);
    use();
    await settle();
    away = new Set();
    now += 1_000;
    use();
    await settle();
    await access.stop();
    const { things } = await store.listTokens(user.id, { limit: 9 });
    expect(things[0]!.lastUsedAt.getTime()).toBeGreaterThan(accessToken.lastUsedAt.getTime());
  });

  it("is of its own tenant", async () => {
    const access = startProcess();
    const { tokenId, accessToken, user } = await startUse(access);
    const { use } = access.useToken({ tenantId: createId(), tokenId });
    use();
    await settle();
    use();
    await access.stop();
    const { things } = await store.listTokens(user.id, { limit: 9 });
    expect(things[0]!.lastUsedAt).toEqual(accessToken.lastUsedAt);
  });
});

describe("a password", () => {
  it("is remembered for five minutes, and the account behind it for five seconds", async () => {
    const access = startProcess();
    const { login } = await addUser();
    const verified: string[] = [];
    const verify = passwords.verify;
    Object.assign(passwords, {
      verify: (...words: Parameters<typeof verify>) => {
        verified.push(words[0]);
        return verify(...words);
      },
    });
    try {
      for (const at of [0, 1_000, 100_000, 299_000]) {
        now += at;
        await showPassword(access, login);
        now -= at;
      }
      expect(verified).toHaveLength(1);
      now += 300_000;
      await showPassword(access, login);
      expect(verified).toHaveLength(2);
    } finally {
      Object.assign(passwords, { verify });
    }
  });

  it.each(["updateUser", "deleteUser"] as const)(
    "ends at once here and in five seconds elsewhere: %s",
    async (deed) => {
      const [one, other] = [startProcess(), startProcess()];
      const admin = await showPassword(one, "admin");
      const { login, userId } = await addUser();
      const [mine, elsewhere] = [await showPassword(one, login), await showPassword(other, login)];
      await one[deed]({ userId, password: "another one" }, admin);
      expect(await reasonOf(showPassword(one, login))).toBe("TOKEN_INVALID");
      expect(await reasonOfUse(mine)).toBe("TOKEN_INVALID");
      elsewhere.use();
      now += 5_000;
      expect(await reasonOf(showPassword(other, login))).toBe("TOKEN_INVALID");
      expect(await reasonOfUse(elsewhere)).toBe("TOKEN_INVALID");
      expect(await reasonOf(other.principalOf({ tenantId, userId }))).toBe(
        deed === "deleteUser" ? "TOKEN_INVALID" : "ok",
      );
      expect(ended.map(({ user }) => user.id)).toEqual([userId]);
    },
  );

  it("that is guessed is slowed down for that name from that address; who is in stays in", async () => {
    const access = startProcess();
    const { login } = await addUser();
    await showPassword(access, login);
    for (let n = 0; n < 5; n++) expect(await reasonOf(logIn(access, login, `wrong ${n}`))).toBe("LOGIN_FAILED");
    expect(await reasonOf(logIn(access, login))).toBe("LOGIN_THROTTLED");
    expect(await reasonOf(logIn(access, `default/${login}`))).toBe("LOGIN_THROTTLED");
    expect(await reasonOf(showPassword(access, login, "wrong"))).toBe("LOGIN_THROTTLED");
    expect(await reasonOf(showPassword(access, login))).toBe("ok");
    expect(await reasonOf(logIn(access, login, password, there))).toBe("ok");
    expect(await reasonOf(logIn(access, (await addUser()).login))).toBe("ok");
    now += 1_000;
    expect(await reasonOf(logIn(access, login))).toBe("ok");
  });

  it("that is guessed from many addresses of one IPv6 network is slowed down as from one", async () => {
    const access = startProcess();
    const { login } = await addUser();
    const from = (address: string) => reasonOf(logIn(access, login, "wrong", { address }));
    const network = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8::1:0:0:0:3", "2001:0db8::1:4:5:6:7"];
    for (const address of [...network, "2001:DB8:0:1::a"]) expect(await from(address)).toBe("LOGIN_FAILED");
    expect(await from("2001:db8:0:1:aaaa:bbbb:cccc:dddd")).toBe("LOGIN_THROTTLED");
    for (const address of ["2001:db8:0:2::1", "2001:db8:1::1", "::1"]) expect(await from(address)).toBe("LOGIN_FAILED");
  });

  it("of a crowd that shows the same is checked once", async () => {
    const access = startProcess();
    const { login } = await addUser();
    const reasons = await Promise.all(Array.from({ length: 100 }, () => reasonOf(showPassword(access, login))));
    expect(new Set(reasons)).toEqual(new Set(["ok"]));
  });

  it("that changes while somebody logs in with the old one leaves nobody in with it", async () => {
    const [one, other] = [startProcess(), startProcess()];
    const { login, userId } = await addUser();
    const me = await showPassword(one, login);
    const words = { currentPassword: password, newPassword: "another one" };
    await Promise.all([one.changePassword(words, me, here), ...[1, 2].map(() => reasonOf(logIn(other, login)))]);
    expect((await store.listTokens(userId, { limit: 9 })).things).toEqual([]);
    expect(await reasonOf(logIn(other, login, "another one"))).toBe("ok");
  });

  it("takes nobody in while the database is away, and that is no failure of theirs", async () => {
    const access = startProcess();
    const { login } = await addUser();
    away = new Set(["findAccountByName"]);
    for (let n = 0; n < 9; n++) expect(await reasonOf(logIn(access, login))).toBe("DATABASE_UNAVAILABLE");
    away = new Set();
    expect(await reasonOf(logIn(access, login))).toBe("ok");
  });
});

describe("a login", () => {
  const words = { password, label: "", audience: "folio" } as const;

  it("gives a token that ends when it was asked to, used or not", async () => {
    const access = startProcess();
    const { login } = await addUser();
    const { accessToken } = await access.login({ ...words, login, idleTtlMs: 5_000, absoluteTtlMs: 600_000 }, here);
    expect(accessToken.idleTtlMs).toBe(5_000);
    expect(accessToken.endsAt!.getTime() - accessToken.createdAt.getTime()).toBe(600_000);
    const brief = { ...words, login, idleTtlMs: 1_000, absoluteTtlMs: 1_000 };
    const { token } = await access.login(brief, here);
    const ask = () => reasonOf(access.authenticate({ kind: "token", token }, "folio", here));
    expect(await ask()).toBe("ok");
    // The database has a clock of its own, and what it said is believed by this one.
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    now += 5_000;
    expect(await ask()).toBe("TOKEN_INVALID");
  });

  it("that asks for an impossible time is refused before the password is looked at", async () => {
    const access = startProcess();
    const login = "nobody at all";
    for (const ttl of [{ idleTtlMs: 999 }, { absoluteTtlMs: 0 }, { absoluteTtlMs: 1e15 }, { idleTtlMs: 1_000.5 }]) {
      expect(await reasonOf(access.login({ ...words, login, ...ttl }, here))).toBe("DURATION_INVALID");
    }
  });
});

describe("a tenant that a gateway is told of", () => {
  it("is looked up once in five seconds, and forgotten at once where it is deleted", async () => {
    const access = startProcess();
    const elsewhere = startProcess();
    const admin = await showPassword(access, "admin");
    const name = `tenant ${createId()}`;
    expect(await access.findTenant({ name })).toBeUndefined();
    const { tenant, applied } = await access.ensureTenant({ name });
    expect(applied).toBe(true);
    expect(await elsewhere.ensureTenant({ name })).toEqual({ tenant, applied: false });
    asked.length = 0;
    for (let n = 0; n < 100; n++) expect(await access.findTenant({ name })).toEqual(tenant);
    expect(asked.filter((deed) => deed === "findTenantByName")).toHaveLength(1);
    expect(await elsewhere.findTenant({ name })).toEqual(tenant);
    await access.deleteTenant({ tenantId: tenant.id }, admin);
    expect(await access.findTenant({ name })).toBeUndefined();
    expect(await elsewhere.findTenant({ name })).toEqual(tenant);
    now += 5_000;
    expect(await elsewhere.findTenant({ name })).toBeUndefined();
  });

  it("by what can be no name is not there, and not made", async () => {
    const access = startProcess();
    for (const name of ["", "a/b", "..", "a\0b", "\ud800", "x".repeat(256)]) {
      expect(await access.findTenant({ name })).toBeUndefined();
      expect(await reasonOf(access.ensureTenant({ name }))).toBe("NAME_INVALID");
    }
  });

  it("is not to be had while the database is away", async () => {
    const access = startProcess();
    away = new Set(["findTenantByName", "ensureTenant"]);
    expect(await reasonOf(access.findTenant({ name: "default" }))).toBe("DATABASE_UNAVAILABLE");
    expect(await reasonOf(access.ensureTenant({ name: "default" }))).toBe("DATABASE_UNAVAILABLE");
  });
});

it("a user's name speaks for a caller while there is such a user in that tenant", async () => {
  const access = startProcess();
  const { userId } = await addUser("reader");
  const { caller, use } = await access.principalOf({ tenantId, userId });
  expect(caller).toEqual({ tenantId, userId, permissions: new Set(["read"]) });
  use();
  expect(await reasonOf(access.principalOf({ tenantId: createId(), userId }))).toBe("TOKEN_INVALID");
  expect(await reasonOf(access.principalOf({ tenantId, userId: createId() }))).toBe("TOKEN_INVALID");
  await access.deleteUser({ userId }, await showPassword(access, "admin"));
  expect(await reasonOfUse({ use } as Principal)).toBe("TOKEN_INVALID");
});

it("no token comes to be by credentials that ended while it was made", async () => {
  const { login, userId } = await addUser();
  let release = (): void => undefined;
  const changed = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow = new Proxy(store, {
    get: (target, name: keyof MetadataStore) =>
      name === "createToken"
        ? (...words: Parameters<MetadataStore["createToken"]>) => changed.then(() => target.createToken(...words))
        : target[name],
  });
  const access = startProcess(slow);
  const mine = await showPassword(access, login);
  const admin = await showPassword(access, "admin");
  const of = { audience: "rpc", label: "" } as const;
  const [own, theirs] = [access.createToken(of, mine), access.createToken({ ...of, userId }, admin)].map(reasonOf);
  // Each has looked the account up and waits for the store.
  await new Promise((resolve) => setTimeout(resolve, 50));
  await access.updateUser({ userId, password: "another one" }, admin);
  release();
  expect(await own).toBe("TOKEN_INVALID");
  expect(await theirs).toBe("USER_NOT_FOUND");
  expect(await reasonOf(access.createToken(of, mine))).toBe("TOKEN_INVALID");
});

describe.skipIf(!postgresAvailable())("two processes on one PostgreSQL", () => {
  it("notice within seconds what the other one revokes, without a clock in common", async () => {
    const { url, drop } = await openTestSchema();
    const connect = () => connectDatabase({ url, dataDir: "", poolSize: 4, durability: "fsync" });
    const databases = [await connect(), await connect()];
    try {
      await migrate(databases[0]!.knex);
      const stores = databases.map(({ knex }) => createMetadataStore(knex));
      await stores[0]!.createFirstAdministrator(digest);
      const [one, other] = stores.map((each) => startProcess(each, () => performance.now()));
      const { token } = await logIn(one!, "admin");
      const [principal, running] = [await show(one!, token), await show(other!, token)];
      await one!.logout(principal);
      const patience = { timeout: 50_000, interval: 50 };
      await expect.poll(() => reasonOf(show(other!, token)), patience).toBe("TOKEN_INVALID");
      await expect.poll(() => reasonOfUse(running), patience).toBe("TOKEN_INVALID");
    } finally {
      for (const database of databases) await database.close();
      await drop();
    }
  });
});
