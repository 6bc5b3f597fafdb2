import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { ErrorReason } from "../../gen/slipway/upload/v1/error_pb.js";
import { getSelf, getUser } from "./access/find.js";
import { audiences, formatEnd, formatLogin, parseAudience, tokenJson, tokenRow } from "./access/show.js";
import { listAll } from "./connection/all-pages.js";
import { defineServerCommand } from "./connection/server-command.js";
import { takeAway } from "./connection/take-away.js";
import { CliError } from "./shell/cli-error.js";
import type { Options } from "./shell/command.js";
import { defineGroup } from "./shell/define-command.js";
import { formatForeign, parseDuration } from "./shell/format.js";
import { printJson, printRows } from "./shell/output.js";

const userOption = {
  user: { type: "string", value: "USER", summary: "whose: a name, TENANT/NAME or an id (you)" },
} as const satisfies Options;

const list = defineServerCommand({
  path: "token list",
  aliases: ["ls"],
  summary: "list tokens that have not ended",
  description: "Lists the tokens of a user that have not ended, newest first; those of others are for administrators.",
  options: userOption,
  examples: ["slipway token list", "slipway token list --user backup --json"],
  async run({ values, client, ask, context, json }) {
    const lookup = { client, ask };
    const { user } = values.user === undefined ? await getSelf(lookup) : await getUser(lookup, values.user);
    const tokens = await listAll(
      (page) => ask((options) => client.access.listTokens({ ...page, userId: user.id }, options)),
      (page) => page.accessTokens,
    );
    if (json) printJson(context, { tokens: tokens.map(tokenJson) });
    else {
      const headings = ["TOKEN", "FOR", "CREATED", "LAST USED", "UNUSED UNTIL", "ENDS", "LABEL"];
      printRows(context, headings, tokens.map(tokenRow), "there are no tokens");
    }
    return 0;
  },
});

const create = defineServerCommand({
  path: "token create",
  summary: "make a token for a program",
  description: `Makes a token and prints it, and nothing else, on standard output. It is not shown again. Tokens for others
are for administrators.`,
  options: {
    ...userOption,
    label: { type: "string", value: "TEXT", default: "", summary: "what it is for, as lists show it" },
    audience: {
      type: "string",
      value: "NAME",
      default: "rpc",
      choices: audiences,
      summary: "which interface it is good for: rpc (the default: this program), imis, vsphere, folio or perkeep",
    },
    "idle-ttl": { type: "string", value: "TIME", summary: "ends after so long without use (as the server is set)" },
    ttl: { type: "string", value: "TIME", summary: "ends after so long in any case (never)" },
  },
  examples: [
    "slipway token create --label laptop",
    'TOKEN=$(slipway token create --user backup --label "nightly backup" --ttl 90d)',
  ],
  check: ({ values }) => [parseTtl(values["idle-ttl"], "--idle-ttl"), parseTtl(values.ttl, "--ttl")],
  async run({ values, client, ask, askOnce, context, json }) {
    const lookup = { client, ask };
    const account = values.user === undefined ? await getSelf(lookup) : await getUser(lookup, values.user);
    const idleTtl = parseTtl(values["idle-ttl"], "--idle-ttl");
    const absoluteTtl = parseTtl(values.ttl, "--ttl");
    const request = {
      userId: account.user.id,
      audience: parseAudience(values.audience),
      label: values.label,
      ...(idleTtl !== undefined && { idleTtl }),
      ...(absoluteTtl !== undefined && { absoluteTtl }),
    };
    const { token, accessToken } = await askOnce((options) => client.access.createToken(request, options));
    if (accessToken === undefined) throw new CliError("the server's answer holds no token");
    if (json) printJson(context, { token, accessToken: tokenJson(accessToken) });
    else {
      const words = `token ${accessToken.id} of ${formatForeign(formatLogin(account))}`;
      context.err.write(`${words} ends ${formatEnd(accessToken)}\n`);
      context.out.write(`${token}\n`);
    }
    return 0;
  },
});

const revoke = defineServerCommand({
  path: "token revoke",
  summary: "end a token",
  description:
    "Ends a token within five seconds, by the id that `slipway token list` shows; those of others are for\nadministrators.",
  operands: { shape: "TOKEN-ID", least: 1, most: 1 },
  examples: ["slipway token revoke 6f9619ff-8b86-4d01-b42d-00cf4fc964ff"],
  async run({ operands: [tokenId = ""], client, ask, context, json }) {
    await takeAway(ask, ErrorReason.TOKEN_NOT_FOUND, (options) => client.access.revokeToken({ tokenId }, options));
    if (json) printJson(context, { id: tokenId, revoked: true });
    else context.out.write(`token ${tokenId} is revoked\n`);
    return 0;
  },
});

export const token = defineGroup({
  name: "token",
  summary: "list, make and end tokens",
  description: "A token is what a program shows instead of a login and a password.",
  commands: [list, create, revoke],
});

function parseTtl(text: string | undefined, what: string) {
  return text === undefined ? undefined : durationFromMs(parseDuration(text, what));
}
