import { listenForSignals } from "../server/stop-signals.js";
import { wrongUse } from "./shell/cli-error.js";
import type { Command, Options } from "./shell/command.js";
import { formatHelp } from "./shell/help.js";
import { readVersion } from "./version.js";

/** The settings that are asked for most; which others there are is the server's to judge. */
const options = {
  listen: { type: "string", value: "HOST:PORT", summary: "127.0.0.1:8080; port 0 takes a free one" },
  "data-dir": { type: "string", value: "FOLDER", summary: "./slipway-data", completes: "folder" },
  "database-url": {
    type: "string",
    value: "URL",
    summary: "postgres://...; else an embedded database in the data folder",
  },
  "tls-cert": {
    type: "string",
    value: "FILE",
    summary: "PEM; with --tls-key FILE the port speaks TLS",
    completes: "file",
  },
  "tls-key": { type: "string", value: "FILE", summary: "PEM", completes: "file" },
} as const satisfies Options;

const operands = { shape: "", least: 0, most: 0 };

export const serve: Command = {
  name: "serve",
  aliases: [],
  summary: "run the server",
  help: formatHelp({
    path: "serve",
    description: `Runs the server until SIGTERM, SIGINT or SIGHUP. Every setting of the README is an option, too: its
name in lower case with dashes and without SLIPWAY_. An option wins over the environment.`,
    operands,
    options,
    examples: [
      "slipway serve",
      "slipway serve --listen 0.0.0.0:8080 --data-dir /srv/slipway",
      "slipway serve --database-url postgres://slipway@db/slipway --log-level debug",
    ],
  }),
  options,
  operands,
  subcommands: [],
  async run(words, context) {
    const flags = parseServeFlags(words);
    // Before the long part of the loading: whoever is told to stop meanwhile does so.
    const signals = listenForSignals();
    const [{ runServer }, version] = await Promise.all([import("../server/main.js"), readVersion()]);
    return runServer({ env: context.env, flags, signals, version });
  },
};

/** Flags under the names of their settings. Which settings there are is the server's to judge. */
export function parseServeFlags(words: readonly string[]): Record<string, string> {
  const flags: Record<string, string> = {};
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const match = /^--([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(word);
    if (match?.[1] === undefined)
      throw wrongUse(`serve takes settings such as --listen HOST:PORT, not ${JSON.stringify(word)}`);
    let value = match[2];
    if (value === undefined) {
      value = words[at + 1];
      if (value === undefined || value.startsWith("--")) throw wrongUse(`--${match[1]} needs a value`);
      at += 1;
    }
    const setting = settingOf(match[1]);
    if (Object.hasOwn(flags, setting)) throw wrongUse(`--${match[1]} is given twice`);
    flags[setting] = value;
  }
  return flags;
}

function settingOf(flag: string): string {
  const name = flag.replaceAll("-", "_").toUpperCase();
  return name === "DATABASE_URL" ? name : `SLIPWAY_${name}`;
}
