import { expect } from "vitest";
import { Role } from "../../../gen/slipway/upload/v1/access_pb.js";
import type { TestClient } from "../../support/client.js";
import { adminPassword } from "../../support/server.js";
import { addSomebody, addStranger, as, startSession } from "../scene.js";
import { nobody, type RefusalRow, rowsOf } from "./row.js";

type Access = TestClient["access"];
type Provoke = RefusalRow["provoke"];
type Method = { [Name in keyof Access]: Access[Name] };

/** The administrator asks with this request. */
function ask<Name extends keyof Method>(rpc: Name, request: Parameters<Method[Name]>[0]): Provoke {
  return async ({ access }) =>
    () =>
      (access[rpc] as (request: unknown) => Promise<unknown>)(request);
}

/** Somebody who may not, asks; `who` makes whoever it is. */
function askAs<Name extends keyof Method>(
  rpc: Name,
  who: (client: TestClient) => Promise<{ readonly token: string }>,
  request: (client: TestClient) => Promise<Parameters<Method[Name]>[0]>,
): Provoke {
  return async (client) => {
    const words = await request(client);
    const options = as(await who(client));
    return () => (client.access[rpc] as (request: unknown, options: unknown) => Promise<unknown>)(words, options);
  };
}

const uploader = (client: TestClient) => addSomebody(client);
const reader = (client: TestClient) => addSomebody(client, { role: Role.READER });
const stranger = (client: TestClient) => addStranger(client);

const me = async ({ access }: TestClient) => ({ userId: (await access.whoAmI({})).user!.id });
const other = async (client: TestClient) => ({ userId: (await addSomebody(client)).userId });
const home = async ({ access }: TestClient) => ({ tenantId: (await access.whoAmI({})).tenant!.id });

/** Many at once; all but a few wait, and some for too long. */
function crowd(rpc: "createUser" | "updateUser"): Provoke {
  return async (client) => {
    const { userId } = await addSomebody(client);
    const one = (n: number) =>
      rpc === "createUser"
        ? client.access.createUser({ name: `${userId} ${n}`, role: Role.READER, password: "a password" })
        : client.access.updateUser({ userId, password: "a password" });
    return async () => {
      const ends = await Promise.allSettled(Array.from({ length: 40 }, (_, n) => one(n)));
      expect(ends.filter(({ status }) => status === "fulfilled").length).toBeGreaterThanOrEqual(17);
      const refused = ends.find((end) => end.status === "rejected");
      if (refused !== undefined) throw refused.reason;
    };
  };
}

/** Six in a row that fail: five are free. */
const guesses = (
  guess: (client: TestClient, somebody: { login: string; token: string }) => Promise<unknown>,
): Provoke => {
  return async (client) => {
    const { name, token } = await addSomebody(client, { password: "the right one" });
    for (let n = 0; n < 5; n++) await expect(guess(client, { login: name, token })).rejects.toThrow(/password/);
    return () => guess(client, { login: name, token });
  };
};
const changeTo = (newPassword: string): Provoke => {
  return async (client) => {
    const { name: login, token } = await addSomebody(client, { password: "the old one" });
    return {
      call: () => client.access.changePassword({ currentPassword: "the old one", newPassword }, as({ token })),
      after: async () => expect((await client.access.login({ login, password: "the old one" })).user?.name).toBe(login),
    };
  };
};
const names = { "an empty name": "", "a name with a slash": "a/b", "a name with a NUL": "a\0", "the name `..`": ".." };
const passwords = {
  "7 characters": "1234567",
  "7 emoji": "\u{1f511}".repeat(7),
  "1025 bytes": "x".repeat(1025),
  "a NUL": "12345678\0",
};
const pages = {
  "a negative page size": { pageSize: -1 },
  "a page token of somebody else's": { pageToken: "bm9ib2R5" },
};
const each = <T>(of: Record<string, T>, line: string, provoke: (value: T) => Provoke) =>
  Object.entries(of).map(([when, value]) => [line, when, provoke(value)] as const);

const denied = "PERMISSION_DENIED / PERMISSION_MISSING";
const noUser = "NOT_FOUND / USER_NOT_FOUND";
const noTenant = "NOT_FOUND / TENANT_NOT_FOUND";
const tokenInvalid = "UNAUTHENTICATED / TOKEN_INVALID";
const throttled = "RESOURCE_EXHAUSTED / LOGIN_THROTTLED";
const loginFailed = "UNAUTHENTICATED / LOGIN_FAILED";

export const accessRefusals: readonly RefusalRow[] = [
  ...rowsOf(
    "Login",
    ...each(
      { "a label of 257 characters": "x".repeat(257), "a label with a NUL": "\0" },
      "INVALID_ARGUMENT / TEXT_INVALID",
      (label) => ask("login", { login: "admin", password: adminPassword, label }),
    ),
    ...each(
      {
        nobody: "nobody",
        "an empty login": "",
        "a name in upper case": "ADMIN",
        "another tenant": "elsewhere/admin",
        "too many slashes": "default/admin/x",
        "an `@`": "admin@default",
        "no tenant before the slash": "/admin",
        "no name after the slash": "default/",
        "a NUL": "admin\0",
        "letters that look alike": "\u0430dmin",
        "a login of 10 KiB": "x".repeat(10 * 2 ** 10),
      },
      loginFailed,
      (login) => ask("login", { login, password: adminPassword }),
    ),
    ...each(
      {
        "an empty password": "",
        "a password with a NUL behind it": `${adminPassword}\0`,
        "a password of 10 KiB": "x".repeat(10 * 2 ** 10),
      },
      loginFailed,
      (password) => async (client) => {
        const { name: login } = await addSomebody(client, { password: adminPassword });
        return () => client.access.login({ login, password });
      },
    ),
    [
      loginFailed,
      "a user without a password",
      async (client) => {
        const { name: login } = await addSomebody(client);
        return () => client.access.login({ login, password: "" });
      },
    ],
    [
      throttled,
      "the sixth wrong password",
      guesses(({ access }, { login }) => access.login({ login, password: "wrong" })),
    ],
  ),
  ...rowsOf("Logout", [
    tokenInvalid,
    "a token that has ended",
    async (client) => {
      const somebody = await addSomebody(client);
      await client.access.logout({}, as(somebody));
      return () => client.access.logout({}, as(somebody));
    },
  ]),
  ...rowsOf(
    "WhoAmI",
    [
      tokenInvalid,
      "a token of another face",
      async ({ access }) => {
        const { token } = await access.createToken({ audience: 4 });
        return () => access.whoAmI({}, as({ token }));
      },
    ],
    [
      tokenInvalid,
      "a token whose time is over",
      async ({ access }) => {
        const { token } = await access.createToken({ absoluteTtl: { seconds: 1n } });
        await access.whoAmI({}, as({ token }));
        await new Promise((resolve) => setTimeout(resolve, 1_100));
        return () => access.whoAmI({}, as({ token }));
      },
    ],
    [
      tokenInvalid,
      "a user who was deleted",
      async ({ access, ...client }) => {
        const somebody = await addSomebody({ access, ...client });
        await access.whoAmI({}, as(somebody));
        await access.deleteUser({ userId: somebody.userId });
        return () => access.whoAmI({}, as(somebody));
      },
    ],
  ),
  ...rowsOf(
    "ChangePassword",
    ...each(passwords, "INVALID_ARGUMENT / PASSWORD_INVALID", changeTo),
    [loginFailed, "a wrong password", ask("changePassword", { currentPassword: "wrong", newPassword: "long enough" })],
    [
      loginFailed,
      "a user without a password",
      askAs("changePassword", uploader, async () => ({ currentPassword: "", newPassword: "long enough" })),
    ],
    [
      throttled,
      "the sixth wrong password",
      guesses(({ access }, somebody) =>
        access.changePassword({ currentPassword: "wrong", newPassword: "long enough" }, as(somebody)),
      ),
    ],
  ),
  ...rowsOf(
    "CreateTenant",
    ...each(names, "INVALID_ARGUMENT / NAME_INVALID", (name) => ask("createTenant", { name })),
    ["ALREADY_EXISTS / NAME_TAKEN", "the name `default`", ask("createTenant", { name: "default" })],
    [denied, "another tenant's administrator", askAs("createTenant", stranger, async () => ({ name: "mine" }))],
  ),
  ...rowsOf("ListTenants", ...each(pages, "INVALID_ARGUMENT / PAGE_INVALID", (page) => ask("listTenants", page)), [
    denied,
    "another tenant's administrator",
    askAs("listTenants", stranger, async () => ({})),
  ]),
  ...rowsOf(
    "DeleteTenant",
    [noTenant, "one that is not there", ask("deleteTenant", { tenantId: nobody })],
    ["INVALID_ARGUMENT / ID_MALFORMED", "an id that is none", ask("deleteTenant", { tenantId: "default" })],
    [denied, "its own administrator", askAs("deleteTenant", stranger, home)],
    [
      "FAILED_PRECONDITION / TENANT_IN_USE",
      "`default`",
      async (client) => {
        const { tenantId } = await home(client);
        return () => client.access.deleteTenant({ tenantId });
      },
    ],
    [
      "FAILED_PRECONDITION / TENANT_IN_USE",
      "one with a session",
      async (client) => {
        const somebody = await addStranger(client);
        await client.sessions.createSession({}, as(somebody));
        return {
          call: () => client.access.deleteTenant({ tenantId: somebody.tenantId }),
          after: async () => expect((await client.access.whoAmI({}, as(somebody))).user?.id).toBe(somebody.userId),
        };
      },
    ],
  ),
  ...rowsOf(
    "CreateUser",
    ...each(names, "INVALID_ARGUMENT / NAME_INVALID", (name) => ask("createUser", { name, role: Role.READER })),
    ...each({ "no role": 0, "an unknown role": 9 }, "INVALID_ARGUMENT / NUMBER_INVALID", (role) =>
      ask("createUser", { name: "new", role: role as Role }),
    ),
    ...each(passwords, "INVALID_ARGUMENT / PASSWORD_INVALID", (password) =>
      ask("createUser", { name: "new", role: Role.READER, password }),
    ),
    [noTenant, "a tenant that is not there", ask("createUser", { tenantId: nobody, name: "new", role: Role.READER })],
    [
      noTenant,
      "another tenant's administrator",
      askAs("createUser", stranger, async (client) => ({ ...(await home(client)), name: "new", role: Role.READER })),
    ],
    ["ALREADY_EXISTS / NAME_TAKEN", "the name `admin`", ask("createUser", { name: "admin", role: Role.READER })],
    [throttled, "forty passwords at once", crowd("createUser")],
    [denied, "an uploader", askAs("createUser", uploader, async () => ({ name: "new", role: Role.READER }))],
  ),
  ...rowsOf(
    "GetUser",
    [noUser, "one who is not there", ask("getUser", { userId: nobody })],
    [noUser, "another tenant's administrator", askAs("getUser", stranger, me)],
    [denied, "a reader, of somebody else", askAs("getUser", reader, me)],
  ),
  ...rowsOf(
    "ListUsers",
    ...each(pages, "INVALID_ARGUMENT / PAGE_INVALID", (page) => ask("listUsers", page)),
    [noTenant, "a tenant that is not there", ask("listUsers", { tenantId: nobody })],
    [noTenant, "another tenant's administrator", askAs("listUsers", stranger, home)],
    [denied, "an uploader", askAs("listUsers", uploader, async () => ({}))],
  ),
  ...rowsOf(
    "UpdateUser",
    ...each({ "no role": 0, "an unknown role": -1 }, "INVALID_ARGUMENT / NUMBER_INVALID", (role) =>
      ask("updateUser", { userId: nobody, role: role as Role }),
    ),
    ...each(passwords, "INVALID_ARGUMENT / PASSWORD_INVALID", (password) =>
      ask("updateUser", { userId: nobody, password }),
    ),
    [noUser, "one who is not there", ask("updateUser", { userId: nobody, role: Role.READER })],
    [noUser, "another tenant's administrator", askAs("updateUser", stranger, me)],
    [
      "FAILED_PRECONDITION / LAST_ADMINISTRATOR",
      "the only administrator's role",
      async (client) => {
        const { userId } = await me(client);
        return () => client.access.updateUser({ userId, role: Role.UPLOADER });
      },
    ],
    [throttled, "forty passwords at once", crowd("updateUser")],
    [denied, "an uploader, of the own role", askAs("updateUser", uploader, me)],
  ),
  ...rowsOf(
    "DeleteUser",
    [noUser, "one who is not there", ask("deleteUser", { userId: nobody })],
    [noUser, "another tenant's administrator", askAs("deleteUser", stranger, other)],
    [
      noUser,
      "one who was deleted",
      async (client) => {
        const { userId } = await addSomebody(client);
        await client.access.deleteUser({ userId });
        return () => client.access.deleteUser({ userId });
      },
    ],
    [
      "FAILED_PRECONDITION / LAST_ADMINISTRATOR",
      "the only administrator",
      async (client) => {
        const { userId } = await me(client);
        return {
          call: () => client.access.deleteUser({ userId }),
          after: async () => void (await startSession(client)),
        };
      },
    ],
    [denied, "an uploader", askAs("deleteUser", uploader, other)],
  ),
  ...rowsOf(
    "CreateToken",
    ...each(
      { "a label of 257 characters": "x".repeat(257), "a label with a NUL": "a\0" },
      "INVALID_ARGUMENT / TEXT_INVALID",
      (label) => ask("createToken", { label }),
    ),
    ["INVALID_ARGUMENT / NUMBER_INVALID", "an unknown audience", ask("createToken", { audience: 99 as never })],
    ...each(
      {
        "no time": {},
        "less than a second": { nanos: 999_000_000 },
        "a negative one": { seconds: -1n },
        "more than ten years": { seconds: 3651n * 86_400n },
      },
      "INVALID_ARGUMENT / DURATION_INVALID",
      (ttl) => ask("createToken", { idleTtl: ttl }),
    ),
    ["INVALID_ARGUMENT / DURATION_INVALID", "no time at all", ask("createToken", { absoluteTtl: { seconds: 0n } })],
    [noUser, "one who is not there", ask("createToken", { userId: nobody })],
    [noUser, "another tenant's administrator", askAs("createToken", stranger, me)],
    [denied, "an uploader, for the administrator", askAs("createToken", uploader, me)],
  ),
  ...rowsOf(
    "ListTokens",
    ...each(pages, "INVALID_ARGUMENT / PAGE_INVALID", (page) => ask("listTokens", page)),
    [noUser, "one who is not there", ask("listTokens", { userId: nobody })],
    [noUser, "another tenant's administrator", askAs("listTokens", stranger, me)],
    [denied, "an uploader, of the administrator's", askAs("listTokens", uploader, me)],
  ),
  ...rowsOf(
    "RevokeToken",
    ["NOT_FOUND / TOKEN_NOT_FOUND", "one that is not there", ask("revokeToken", { tokenId: nobody })],
    ...each(
      { "a colleague": uploader, "another tenant's administrator": stranger },
      "NOT_FOUND / TOKEN_NOT_FOUND",
      (who) => askAs("revokeToken", who, async (client) => ({ tokenId: (await addSomebody(client)).tokenId })),
    ),
  ),
];
