// The commands about oneself: in, out, and who one is.
import { ErrorReason } from "../../gen/slipway/upload/v1/error_pb.js";
import { getSelf, type Self } from "./access/find.js";
import { createLogIn, logInSomehow } from "./access/log-in.js";
import { chooseServer } from "./access/server-name.js";
import { formatEnd, formatLogin, tokenJson, userFields, userJson } from "./access/show.js";
import { describeError, isReason } from "./connection/rpc-error.js";
import { connectionOptions, defineServerCommand, jsonOption } from "./connection/server-command.js";
import { adviseUse, changeServers, getStoredServer } from "./connection/servers.js";
import { bearer, formatServerUrl, isLoopback, parseServerUrl, parseWire } from "./connection/settings.js";
import { type Talk, withTalk } from "./connection/talk.js";
import { CliError, wrongUse } from "./shell/cli-error.js";
import type { Context } from "./shell/command.js";
import { defineCommand } from "./shell/define-command.js";
import { formatForeign } from "./shell/format.js";
import { withInterrupt } from "./shell/interrupt.js";
import { printFields, printJson } from "./shell/output.js";
import { readStdinLines } from "./shell/terminal.js";

const { protocol, "retry-for": retryFor } = connectionOptions;
const wireOptions = { protocol, "retry-for": { ...retryFor, summary: "how long to go on trying (15s)" } };
const spokenRoles: Readonly<Record<string, string>> = { admin: "administrator" };

export const login = defineCommand({
  path: "login",
  summary: "log in to a server, and remember it",
  description: `Logs in to a server, by default the one in use, and keeps a token for it in slipway/servers.json below
XDG_CONFIG_HOME or ~/.config, which nobody else may read. From then on commands talk to that server.

The password is asked for, and shown nowhere. On the server's own machine, where neither --login nor a
password is given, its administrator logs in with the password in initial-admin-password in
SLIPWAY_DATA_DIR or ./slipway-data.`,
  operands: { shape: "[URL]", least: 0, most: 1 },
  options: {
    name: {
      type: "string",
      value: "NAME",
      summary: "what to call the server (local on this machine, else its host)",
      completes: "server",
    },
    login: { type: "string", value: "LOGIN", summary: "NAME or TENANT/NAME (asked for; admin where nobody is asked)" },
    "password-stdin": { type: "boolean", default: false, summary: "read the password from standard input, one line" },
    "token-stdin": {
      type: "boolean",
      default: false,
      summary: "keep a token that there is already, read from standard input",
    },
    token: { type: "string", value: "TOKEN", summary: "the same; but others may see a command line" },
    ...jsonOption,
    ...wireOptions,
  },
  examples: [
    "slipway login",
    "slipway login https://uploads.example.org --name work --login acme/alice",
    "slipway login https://uploads.example.org --login alice --password-stdin < password.txt",
    "slipway login https://uploads.example.org --token-stdin < token.txt",
  ],
  async run({ values, operands }, context) {
    const ways = [values["password-stdin"], values["token-stdin"], values.token !== undefined].filter(Boolean);
    if (ways.length > 1) throw wrongUse("give one of --password-stdin, --token-stdin and --token");
    const ready = values["token-stdin"] || values.token !== undefined;
    if (ready && values.login !== undefined) throw wrongUse("a token says whose it is: leave --login out");
    const given = values.token === undefined ? undefined : parseToken(values.token);
    const wire = parseWire({ protocol: values.protocol, "retry-for": values["retry-for"] ?? "15s" });
    const { name, url } = await chooseServer({ url: operands[0], name: values.name }, context.env);
    if (url.protocol === "http:" && !isLoopback(url)) {
      const what = ready ? "the token travels" : "password and token travel";
      context.err.write(`warning: ${url.origin} is not encrypted: ${what} for everyone on the way to read\n`);
    }
    return await withInterrupt(async (signal) => {
      const as = <T>(token: string | undefined, run: (talk: Talk) => Promise<T>) => {
        const authorization = token === undefined ? undefined : bearer(token);
        return withTalk({ url: formatServerUrl(url), authorization, ...wire }, context, signal, run);
      };
      const way = { url, login: values.login, passwordStdin: values["password-stdin"] };
      const token = values["token-stdin"]
        ? parseToken((await readStdinLines(context, ["the token"], signal))[0] ?? "")
        : (given ?? (await as(undefined, (talk) => logInSomehow(way, context, signal, createLogIn(talk)))));
      return await as(token, async (talk) => {
        const self = await getSelf(talk);
        try {
          await storeLogin(context, name, formatServerUrl(url), token, formatLogin(self));
        } catch (error) {
          // A token that nobody keeps is not left behind, where that can be helped.
          if (!ready) await talk.client.access.logout({}, { timeoutMs: 5000 }).catch(() => undefined);
          throw error;
        }
        printLogin(context, values.json === true, name, formatServerUrl(url), self);
        return 0;
      });
    });
  },
});

export const logout = defineCommand({
  path: "logout",
  summary: "end a login, and forget it",
  description: `Ends the token of a login on the server and forgets the login; without NAME that of the server in use.
Nothing is forgotten while the server is away, unless --force says so: the token then ends by itself.`,
  operands: { shape: "[NAME]", least: 0, most: 1, completes: "server" },
  options: {
    force: { type: "boolean", short: "f", default: false, summary: "forget it also when the server does not answer" },
    ...jsonOption,
    ...wireOptions,
  },
  examples: ["slipway logout", "slipway logout work", "slipway logout work --force"],
  async run({ values, operands }, context) {
    // Who forces it does not expect an answer.
    const wire = parseWire({
      protocol: values.protocol,
      "retry-for": values["retry-for"] ?? (values.force ? "2s" : "15s"),
    });
    const { name, url, token } = await getStoredServer(context.env, operands[0]);
    const target = { url: formatServerUrl(parseServerUrl(url)), authorization: bearer(token), ...wire };
    const ended = await withInterrupt((signal) =>
      withTalk(target, context, signal, (talk) => endToken(talk, context, values.force)),
    );
    const left = await changeServers(context.env, ({ current, servers }) => {
      // Somebody may have logged in there anew meanwhile.
      const kept = servers.filter((server) => server.name !== name || server.token !== token);
      return { current: current === name ? undefined : current, servers: kept };
    });
    if (values.json === true) printJson(context, { server: name, url, tokenEnded: ended });
    else context.out.write(`logged out of ${name} (${url})\n`);
    context.err.write(adviseUse(left));
    return 0;
  },
});

export const whoami = defineServerCommand({
  path: "whoami",
  summary: "tell who you are, and to whom",
  description: "Asks the server who you are to it, what you may do, and when your token ends.",
  examples: ["slipway whoami", "slipway whoami --server work --json"],
  async run({ client, ask, connection, context, json }) {
    const self = await getSelf({ client, ask });
    const { accessToken } = self;
    const { url, server } = connection;
    if (json) {
      const token = accessToken === undefined ? null : tokenJson(accessToken);
      printJson(context, { server: { name: server ?? null, url }, user: userJson(self), token });
      return;
    }
    const end = accessToken === undefined ? "none: a password was given" : `ends ${formatEnd(accessToken)}`;
    printFields(context, [
      ["server", server === undefined ? url : `${server} (${url})`],
      ...userFields(self),
      ["token", end],
      ...(accessToken?.label ? ([["label", formatForeign(accessToken.label)]] as const) : []),
    ]);
  },
});

function parseToken(text: string): string {
  bearer(text);
  return text;
}

async function storeLogin(context: Context, name: string, url: string, token: string, who: string): Promise<void> {
  await changeServers(context.env, ({ servers }) => ({
    current: name,
    servers: [...servers.filter((server) => server.name !== name), { name, url, token, login: who }],
  }));
}

function printLogin(context: Context, json: boolean, name: string, url: string, self: Self): void {
  const { login: who, role } = userJson(self);
  if (json) printJson(context, { server: name, url, login: who, role });
  else context.out.write(`logged in to ${name} (${url}) as ${formatForeign(who)}, ${spokenRoles[role] ?? role}\n`);
  for (const setting of ["SLIPWAY_TOKEN", "SLIPWAY_URL"]) {
    if (context.env[setting]) context.err.write(`note: ${setting} is set, and goes before what is stored\n`);
  }
}

/** Answers whether the token has ended; false only where it was to be forgotten in any case. */
async function endToken({ client, ask }: Talk, context: Context, force: boolean): Promise<boolean> {
  try {
    await ask((options) => client.access.logout({}, options));
  } catch (error) {
    if (isReason(error, ErrorReason.TOKEN_INVALID)) return true;
    if (force) {
      context.err.write(`the token is forgotten, but did not end: ${describeError(error)}\n`);
      return false;
    }
    const words = `${describeError(error)}; with --force the login is forgotten all the same`;
    throw error instanceof Error && error.name === "Interrupted" ? error : new CliError(words, 1, error);
  }
  return true;
}
