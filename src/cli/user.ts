import type { User } from "../../gen/slipway/upload/v1/access_pb.js";
import { ErrorReason } from "../../gen/slipway/upload/v1/error_pb.js";
import { type Account, getSelf, getTenant, getUser, listUsers, parseUserWord } from "./access/find.js";
import { createAskPasswords, passwordStdinOption } from "./access/new-password.js";
import { formatLogin, formatRole, parseRole, roles, userFields, userJson } from "./access/show.js";
import { defineServerCommand } from "./connection/server-command.js";
import { takeAway } from "./connection/take-away.js";
import { CliError, wrongUse } from "./shell/cli-error.js";
import type { Context, Operands, Options } from "./shell/command.js";
import { yesOption } from "./shell/confirm.js";
import { createConfirmName } from "./shell/confirm-name.js";
import { defineGroup } from "./shell/define-command.js";
import { formatForeign, formatMoment } from "./shell/format.js";
import { printFields, printJson, printRows } from "./shell/output.js";

const tenantOption = {
  tenant: { type: "string", value: "NAME-OR-ID", summary: "the user's tenant, unless it is yours" },
} as const satisfies Options;
const roleOption = {
  role: { type: "string", value: "ROLE", choices: roles, summary: "what the user may do: reader, uploader or admin" },
} as const satisfies Options;
const userOperand: Operands = { shape: "USER", least: 1, most: 1 };
const userWords = "USER is a name, TENANT/NAME or an id.";

const list = defineServerCommand({
  path: "user list",
  aliases: ["ls"],
  summary: "list the users of a tenant",
  description: "Lists the users of a tenant, newest first. For administrators.",
  options: { tenant: { ...tenantOption.tenant, summary: "the tenant, unless it is yours" } },
  examples: ["slipway user list", "slipway user list --tenant acme --json"],
  async run({ values, client, ask, context, json }) {
    const tenant = await getTenant({ client, ask }, values.tenant);
    const accounts = (await listUsers({ client, ask }, tenant.id)).map((user): Account => ({ user, tenant }));
    if (json) printJson(context, { users: accounts.map(userJson) });
    else {
      const rows = accounts.map((account) => [
        account.user.id,
        formatRole(account.user.role),
        formatMoment(account.user.createTime),
        formatForeign(formatLogin(account)),
      ]);
      printRows(context, ["USER", "ROLE", "CREATED", "LOGIN"], rows, "the tenant has no users");
    }
    return 0;
  },
});

const create = defineServerCommand({
  path: "user create",
  summary: "create a user",
  description: `Creates a user. For administrators. The password is asked for twice, and shown nowhere. A user without one
cannot log in, and acts by tokens only.`,
  operands: { shape: "NAME", least: 1, most: 1 },
  options: {
    ...roleOption,
    ...tenantOption,
    ...passwordStdinOption,
    "no-password": { type: "boolean", default: false, summary: "a user who acts by tokens only" },
  },
  examples: [
    "slipway user create alice --role uploader",
    "slipway user create acme/bob --role admin --password-stdin < password.txt",
    "slipway user create backup --role uploader --no-password",
  ],
  check({ values, operands }) {
    if (values.role === undefined) throw wrongUse("say what the user may do: --role reader, uploader or admin");
    if (values["no-password"] && values["password-stdin"]) throw wrongUse("give --no-password or --password-stdin");
    parseUserWord(operands[0] ?? "", values.tenant);
  },
  async run({ operands, values, client, ask, askOnce, signal, context, json }) {
    const word = parseUserWord(operands[0] ?? "", values.tenant);
    const fromStdin = values["password-stdin"];
    const askPasswords = values["no-password"] ? undefined : createAskPasswords(context, signal, fromStdin);
    const tenant = await getTenant({ client, ask }, word.tenant);
    const request = {
      tenantId: tenant.id,
      name: word.name,
      role: parseRole(values.role ?? ""),
      ...(askPasswords !== undefined && { password: (await askPasswords()).fresh }),
    };
    const { user } = await askOnce((options) => client.access.createUser(request, options));
    printUser(context, json, "created", { user: assertUser(user), tenant });
    return 0;
  },
});

const show = defineServerCommand({
  path: "user show",
  summary: "show a user",
  description: `Shows a user; without USER yourself. Others are for administrators. ${userWords}`,
  operands: { shape: "[USER]", least: 0, most: 1 },
  options: tenantOption,
  examples: ["slipway user show", "slipway user show acme/alice --json"],
  async run({ operands: [word], values, client, ask, context, json }) {
    if (word === undefined && values.tenant !== undefined) throw wrongUse("--tenant goes with a USER");
    const lookup = { client, ask };
    const account = word === undefined ? await getSelf(lookup) : await getUser(lookup, word, values.tenant);
    if (json) printJson(context, { user: userJson(account) });
    else printFields(context, userFields(account));
    return 0;
  },
});

const update = defineServerCommand({
  path: "user update",
  summary: "change what a user may do, or the password",
  description: `Changes a user's role or password, within five seconds; a new password ends all tokens of the user. For
administrators. ${userWords}`,
  operands: userOperand,
  options: { ...roleOption, ...tenantOption, ...passwordStdinOption },
  examples: ["slipway user update alice --role admin", "slipway user update alice --password-stdin < password.txt"],
  check({ values }) {
    if (values.role === undefined && !values["password-stdin"]) throw wrongUse("give --role or --password-stdin");
  },
  async run({ operands: [word = ""], values, client, ask, signal, context, json }) {
    const fresh = values["password-stdin"] ? (await createAskPasswords(context, signal, true)()).fresh : undefined;
    const { user, tenant } = await getUser({ client, ask }, word, values.tenant);
    const request = {
      userId: user.id,
      ...(values.role !== undefined && { role: parseRole(values.role) }),
      ...(fresh !== undefined && { password: fresh }),
    };
    const answer = await ask((options) => client.access.updateUser(request, options));
    printUser(context, json, "changed", { user: assertUser(answer.user), tenant });
    return 0;
  },
});

const passwd = defineServerCommand({
  path: "user passwd",
  summary: "change a password",
  description: `Changes your password, or, for administrators, that of another user. Passwords are asked for, and shown
nowhere. All tokens of the user end, but for the one that you change your own password with.
${userWords}`,
  operands: { shape: "[USER]", least: 0, most: 1 },
  options: {
    ...tenantOption,
    "password-stdin": {
      type: "boolean",
      default: false,
      summary:
        "read from standard input: the present password and the new one, a line each; of another user the new one",
    },
  },
  examples: [
    "slipway user passwd",
    "slipway user passwd alice",
    "slipway user passwd alice --password-stdin < new.txt",
  ],
  async run({ operands: [word], values, client, ask, askOnce, signal, context, json }) {
    if (word === undefined && values.tenant !== undefined) throw wrongUse("--tenant goes with a USER");
    // Whether there is somebody to ask is said before the server is asked for anything.
    const askPasswords = createAskPasswords(context, signal, values["password-stdin"]);
    const self = await getSelf({ client, ask });
    const account = word === undefined ? self : await getUser({ client, ask }, word, values.tenant);
    const withPresent = account.user.id === self.user.id;
    const { present, fresh } = await askPasswords(withPresent);
    if (withPresent) {
      const request = { currentPassword: present, newPassword: fresh };
      await askOnce((options) => client.access.changePassword(request, options));
    } else {
      await ask((options) => client.access.updateUser({ userId: account.user.id, password: fresh }, options));
    }
    if (json) printJson(context, { user: userJson(account), changed: true });
    else context.out.write(`the password of ${formatForeign(formatLogin(account))} is changed\n`);
    return 0;
  },
});

const remove = defineServerCommand({
  path: "user delete",
  aliases: ["rm"],
  summary: "delete a user",
  description: `Deletes a user, whose tokens end. What the user made stays. For administrators.
${userWords}`,
  operands: userOperand,
  options: { ...tenantOption, ...yesOption },
  examples: ["slipway user delete alice", "slipway user delete acme/bob --yes"],
  async run({ operands: [word = ""], values, client, ask, signal, context, json }) {
    const confirmName = createConfirmName(context, signal, values.yes);
    const account = await getUser({ client, ask }, word, values.tenant);
    const { id, name } = account.user;
    await confirmName(`user ${formatForeign(formatLogin(account))}`, name);
    await takeAway(ask, ErrorReason.USER_NOT_FOUND, (options) => client.access.deleteUser({ userId: id }, options));
    if (json) printJson(context, { id, login: formatLogin(account), deleted: true });
    else context.out.write(`user ${formatForeign(formatLogin(account))} is deleted\n`);
    return 0;
  },
});

export const user = defineGroup({
  name: "user",
  summary: "list, create, change and delete users",
  description: "A user belongs to one tenant, and has a role in it: reader, uploader or admin.",
  commands: [list, create, show, update, passwd, remove],
});

function assertUser(found: User | undefined): User {
  if (found === undefined) throw new CliError("the server's answer holds no user");
  return found;
}

function printUser(context: Context, json: boolean, deed: string, account: Account): void {
  const { login, role, id } = userJson(account);
  if (json) printJson(context, { user: userJson(account) });
  else context.out.write(`${deed} user ${formatForeign(login)}, ${role} (${id})\n`);
}
