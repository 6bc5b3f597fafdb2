import { adviseUse, changeServers, getStoredServer, readServers, type StoredServer } from "./connection/servers.js";
import { jsonOption } from "./connection/server-command.js";
import { limits } from "./server/limits.js";
import type { Operands } from "./shell/command.js";
import { defineCommand, defineGroup } from "./shell/define-command.js";
import { formatForeign } from "./shell/format.js";
import { printJson, printRows } from "./shell/output.js";

const nameOperand: Operands = { shape: "NAME", least: 1, most: 1, completes: "server" };

const list = defineCommand({
  path: "server list",
  aliases: ["ls"],
  summary: "list the servers that you have logged in to",
  description: "Lists the servers that you have logged in to, by name. The one in use has a star.",
  options: { names: { type: "boolean", default: false, summary: "print the names alone, one a line" }, ...jsonOption },
  examples: ["slipway server list", "slipway server list --names", "slipway server list --json"],
  async run({ values }, context) {
    const { current, servers } = await readServers(context.env);
    const sorted = [...servers].sort((a, b) => (a.name < b.name ? -1 : 1));
    if (values.json === true) {
      printJson(context, { servers: sorted.map((server) => serverJson(server, current)) });
    } else if (values.names) {
      for (const { name } of sorted) context.out.write(`${name}\n`);
    } else {
      const rows = sorted.map(({ name, url, login }) => [name === current ? "*" : "", name, url, formatForeign(login)]);
      printRows(context, ["", "NAME", "URL", "LOGIN"], rows, "you have not logged in to a server");
    }
    return 0;
  },
});

const use = defineCommand({
  path: "server use",
  summary: "make a server the one that commands talk to",
  description: "From now on commands talk to the server of that name, unless they are told otherwise.",
  operands: nameOperand,
  options: jsonOption,
  examples: ["slipway server use work"],
  async run({ values, operands }, context) {
    const server = await getStoredServer(context.env, operands[0]);
    await changeServers(context.env, ({ servers }) => ({ current: server.name, servers }));
    if (values.json === true) printJson(context, serverJson(server, server.name));
    else context.out.write(`commands talk to ${server.name} (${server.url}) as ${formatForeign(server.login)}\n`);
    return 0;
  },
});

const remove = defineCommand({
  path: "server remove",
  aliases: ["rm"],
  summary: "forget a server, without telling it",
  description: `Forgets a server and the token for it. The server is not told: the token ends by itself some time after its
last use. To end it now, log out: slipway logout NAME.`,
  operands: nameOperand,
  options: jsonOption,
  examples: ["slipway server remove work"],
  async run({ values, operands }, context) {
    const server = await getStoredServer(context.env, operands[0]);
    const left = await changeServers(context.env, ({ current, servers }) => ({
      current: current === server.name ? undefined : current,
      servers: servers.filter(({ name }) => name !== server.name),
    }));
    if (values.json === true) printJson(context, { server: server.name, url: server.url, removed: true });
    else context.out.write(`${server.name} (${server.url}) is forgotten\n`);
    context.err.write(adviseUse(left));
    return 0;
  },
});

export const server = defineGroup({
  name: "server",
  summary: "choose among the servers that you have logged in to",
  description: "The servers that you have logged in to, and what one of them takes. `slipway login URL` adds one.",
  commands: [list, use, remove, limits],
});

/** Never the token. */
function serverJson({ name, url, login }: StoredServer, current: string | undefined) {
  return { name, url, login, current: name === current };
}
