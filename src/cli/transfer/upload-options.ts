import type { ConnectionWords } from "../connection/settings.js";
import { wrongUse } from "../shell/cli-error.js";
import type { Options, Values } from "../shell/command.js";
import { formatShellWord, parseBytes } from "../shell/format.js";
import { parseParallel } from "./parallel.js";

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

export const uploadOptions = {
  parallel: { type: "string", value: "N", default: "4", summary: "files under way at once (4)" },
  label: { type: "string", value: "TEXT", default: "", summary: "a description, which ls shows" },
  session: {
    type: "string",
    value: "ID",
    summary: "go on with a session; files that it has already are compared and not sent again",
  },
  replace: {
    type: "boolean",
    default: false,
    summary: "with --session: send files anew that have changed since they were sent",
  },
  name: { type: "string", value: "NAME", summary: "what standard input is to be called" },
  "chunk-size": {
    type: "string",
    value: "SIZE",
    default: "1MiB",
    summary: "bytes a message (1MiB, at most 4095KiB)",
  },
  "no-complete": { type: "boolean", default: false, summary: "leave the session open" },
  verbose: { type: "boolean", default: false, short: "v", summary: "print the SHA-256 of every file" },
} as const satisfies Options;

type UploadWords = Values<typeof uploadOptions> & ConnectionWords & { readonly json: boolean | undefined };

export function parseUploadOptions({
  values,
  operands,
}: {
  readonly values: UploadWords;
  readonly operands: readonly string[];
}): UploadOptions {
  if (operands.filter((path) => path === "-").length > 1) throw wrongUse("standard input can be sent only once");
  if (values.session !== undefined && values.label !== "")
    throw wrongUse("--label is for a new session, not with --session");
  const chunkBytes = parseBytes(values["chunk-size"], "--chunk-size");
  if (chunkBytes < leastChunkBytes || chunkBytes > mostChunkBytes)
    throw wrongUse("--chunk-size is from 4KiB to 4095KiB");
  return {
    paths: operands,
    connection: values,
    parallel: parseParallel(values.parallel),
    chunkBytes,
    label: values.label,
    sessionId: values.session,
    stdinName: values.name,
    replace: values.replace,
    complete: !values["no-complete"],
    json: values.json === true,
    verbose: values.verbose,
  };
}

/** The command line that goes on with a session; never with a token in it. */
export function formatContinue(options: UploadOptions, sessionId: string, replace: boolean): string {
  const { url, server, protocol } = options.connection;
  const words = ["slipway", "upload", "--session", sessionId];
  if (url !== undefined) words.push("--url", url);
  if (server !== undefined) words.push("--server", server);
  if (protocol !== undefined) words.push("--protocol", protocol);
  if (options.stdinName !== undefined) words.push("--name", options.stdinName);
  if (replace) words.push("--replace");
  if (!options.complete) words.push("--no-complete");
  if (options.paths.some((path) => path !== "-" && path.startsWith("-"))) words.push("--");
  return [...words, ...options.paths].map(formatShellWord).join(" ");
}
