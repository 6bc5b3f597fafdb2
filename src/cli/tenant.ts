import { ErrorReason } from "../../gen/slipway/upload/v1/error_pb.js";
import { getTenant, listTenants } from "./access/find.js";
import { tenantJson } from "./access/show.js";
import { defineServerCommand } from "./connection/server-command.js";
import { takeAway } from "./connection/take-away.js";
import { CliError } from "./shell/cli-error.js";
import { yesOption } from "./shell/confirm.js";
import { createConfirmName } from "./shell/confirm-name.js";
import { defineGroup } from "./shell/define-command.js";
import { formatForeign, formatMoment } from "./shell/format.js";
import { printJson, printRows } from "./shell/output.js";

const list = defineServerCommand({
  path: "tenant list",
  aliases: ["ls"],
  summary: "list the tenants",
  description: "Lists the tenants, newest first. For administrators of the tenant default.",
  examples: ["slipway tenant list", "slipway tenant list --json"],
  async run({ client, ask, context, json }) {
    const tenants = await listTenants({ client, ask });
    if (json) printJson(context, { tenants: tenants.map(tenantJson) });
    else {
      const rows = tenants.map(({ id, name, createTime }) => [id, formatMoment(createTime), formatForeign(name)]);
      printRows(context, ["TENANT", "CREATED", "NAME"], rows, "there are no tenants");
    }
    return 0;
  },
});

const create = defineServerCommand({
  path: "tenant create",
  summary: "create a tenant",
  description: `Creates a tenant, which has no users yet. For administrators of the tenant default. The name stands before
the / of a login.`,
  operands: { shape: "NAME", least: 1, most: 1 },
  examples: ["slipway tenant create acme", "slipway user create acme/alice --role admin"],
  async run({ operands: [name = ""], client, askOnce, context, json }) {
    const { tenant } = await askOnce((options) => client.access.createTenant({ name }, options));
    if (tenant === undefined) throw new CliError("the server's answer holds no tenant");
    if (json) printJson(context, { tenant: tenantJson(tenant) });
    else context.out.write(`created tenant ${formatForeign(tenant.name)} (${tenant.id})\n`);
    return 0;
  },
});

const remove = defineServerCommand({
  path: "tenant delete",
  aliases: ["rm"],
  summary: "delete a tenant that holds nothing, with its users",
  description: `Deletes a tenant with its users. One that has sessions, libraries or blobs is refused. For administrators
of the tenant default.`,
  operands: { shape: "NAME-OR-ID", least: 1, most: 1 },
  options: yesOption,
  examples: ["slipway tenant delete acme", "slipway tenant delete acme --yes"],
  async run({ operands: [word = ""], values, client, ask, signal, context, json }) {
    const confirmName = createConfirmName(context, signal, values.yes);
    const { id, name } = await getTenant({ client, ask }, word);
    await confirmName("tenant", name);
    await takeAway(ask, ErrorReason.TENANT_NOT_FOUND, (options) =>
      client.access.deleteTenant({ tenantId: id }, options),
    );
    if (json) printJson(context, { id, name, deleted: true });
    else context.out.write(`tenant ${formatForeign(name)} is deleted\n`);
    return 0;
  },
});

export const tenant = defineGroup({
  name: "tenant",
  summary: "list, create and delete tenants",
  description: "A tenant is a border that nothing crosses: users, sessions, libraries, items and blobs belong to one.",
  commands: [list, create, remove],
});
