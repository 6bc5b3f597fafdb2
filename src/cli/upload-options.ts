import { parseArgs } from "node:util";
import { wrongUse } from "./cli-error.js";
import { connectionHelp, connectionOptions } from "./command.js";
import { formatShellWord, parseBytes } from "./format.js";
import { type ConnectionWords, parseWhole } from "./settings.js";

export interface UploadOptions {
  readonly paths: readonly string[];
  readonly connection: ConnectionWords;
  readonly parallel: number;
  readonly chunkBytes: number;
  readonly label: string;
  readonly sessionId: string | undefined;
  readonly stdinName: string | undefined;
  readonly replace: boolean;
  readonly complete: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

const leastChunkBytes = 4 * 2 ** 10;
// A message may have 4 MiB with its frame.
const mostChunkBytes = 4 * 2 ** 20 - 2 ** 10;

export const uploadHelp = `Usage: slipway upload [OPTIONS] PATH...

Sends files and folders in one session: all of them become visible together at the end. A folder is
walked; symbolic links inside it are skipped. \`-\` is standard input. It goes on by itself after a lost
connection or a restarted server, and checks the SHA-256 of every file from one end to the other.

  --parallel N       files under way at once (4)
  --label TEXT       a description, which ls shows
  --session ID       go on with a session; files that it has already are compared and not sent again
  --replace          with --session: send files anew that have changed since they were sent
  --name NAME        what standard input is to be called
  --chunk-size SIZE  bytes a message (1MiB, at most 4095KiB)
  --no-complete      leave the session open
  --json             print one JSON object at the end
  -v, --verbose      print the SHA-256 of every file

Examples:
  slipway upload holiday.mov
  slipway upload photos/ notes.txt --label "summer" --parallel 8
  pg_dump shop | slipway upload - --name shop.sql
  slipway upload --session 6f9619ff-8b86-4d01-b42d-00cf4fc964ff photos/

${connectionHelp}`;

export function parseUploadOptions(words: readonly string[]): UploadOptions {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      ...connectionOptions,
      parallel: { type: "string", default: "4" },
      label: { type: "string", default: "" },
      session: { type: "string" },
      name: { type: "string" },
      "chunk-size": { type: "string", default: "1MiB" },
      replace: { type: "boolean", default: false },
      "no-complete": { type: "boolean" },
      verbose: { type: "boolean", short: "v" },
    },
  });
  if (positionals.length === 0) throw wrongUse("name the files or folders to upload");
  if (positionals.filter((path) => path === "-").length > 1) throw wrongUse("standard input can be sent only once");
  if (values.session !== undefined && values.label !== "")
    throw wrongUse("--label is for a new session, not with --session");
  const chunkBytes = parseBytes(values["chunk-size"], "--chunk-size");
  if (chunkBytes < leastChunkBytes || chunkBytes > mostChunkBytes)
    throw wrongUse("--chunk-size is from 4KiB to 4095KiB");
  return {
    paths: positionals,
    connection: values,
    parallel: parseWhole(values.parallel, "--parallel", 1, 64),
    chunkBytes,
    label: values.label,
    sessionId: values.session,
    stdinName: values.name,
    replace: values.replace,
    complete: values["no-complete"] !== true,
    json: values.json === true,
    verbose: values.verbose === true,
  };
}

/** The command line that goes on with a session; never with a token in it. */
export function formatContinue(options: UploadOptions, sessionId: string, replace: boolean): string {
  const { url, protocol } = options.connection;
  const words = ["slipway", "upload", "--session", sessionId];
  if (url !== undefined) words.push("--url", url);
  if (protocol !== undefined) words.push("--protocol", protocol);
  if (options.stdinName !== undefined) words.push("--name", options.stdinName);
  if (replace) words.push("--replace");
  if (!options.complete) words.push("--no-complete");
  if (options.paths.some((path) => path !== "-" && path.startsWith("-"))) words.push("--");
  return [...words, ...options.paths].map(formatShellWord).join(" ");
}
