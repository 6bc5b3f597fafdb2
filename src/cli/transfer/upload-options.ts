import { type ItemPath, isId, parseItemPath } from "../catalog/find.js";
import type { ConnectionWords } from "../connection/settings.js";
import { wrongUse } from "../shell/cli-error.js";
import type { Options, Values } from "../shell/command.js";
import { formatShellWord, parseBytes } from "../shell/format.js";
import { parseParallel } from "./parallel.js";

export interface UploadOptions {
  readonly paths: readonly string[];
  /** The working folder that the paths are meant in. */
  readonly folder: string;
  readonly connection: ConnectionWords;
  readonly parallel: number;
  readonly chunkBytes: number;
  readonly label: string;
  readonly sessionId: string | undefined;
  readonly resume: boolean;
  readonly into: ItemPath | undefined;
  readonly stdinName: string | undefined;
  readonly replace: boolean;
  readonly complete: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
}

const leastChunkBytes = 4 * 2 ** 10;
// A message may have 4 MiB with its frame.
const mostChunkBytes = 4 * 2 ** 20 - 2 ** 10;

export const uploadOptions = {
  parallel: { type: "string", value: "N", summary: "files under way at once (4)" },
  label: { type: "string", value: "TEXT", default: "", summary: "a description, which ls shows" },
  into: {
    type: "string",
    value: "LIBRARY/ITEM",
    summary: "the files become the item's when all have arrived; the library must be there, the item is made",
  },
  resume: {
    type: "boolean",
    default: false,
    summary: "go on with an upload of yours that was interrupted: the one of these PATHs, or the only one",
  },
  session: {
    type: "string",
    value: "ID",
    summary: "go on with a session; files that it has already are compared and not sent again",
  },
  replace: {
    type: "boolean",
    default: false,
    summary: "with --resume or --session: send files anew that have changed since they were sent",
  },
  name: { type: "string", value: "NAME", summary: "what standard input is to be called" },
  "chunk-size": {
    type: "string",
    value: "SIZE",
    summary: "bytes a message (1MiB, at most 4095KiB)",
  },
  "no-complete": { type: "boolean", default: false, summary: "leave the session open" },
  verbose: { type: "boolean", default: false, short: "v", summary: "print the SHA-256 of every file" },
  quiet: { type: "boolean", default: false, short: "q", summary: "say nothing but what went wrong" },
} as const satisfies Options;

type UploadWords = Values<typeof uploadOptions> & ConnectionWords & { readonly json: boolean | undefined };

export interface UploadCommandLine {
  readonly values: UploadWords;
  readonly operands: readonly string[];
}

export function parseUploadOptions({ values, operands }: UploadCommandLine): UploadOptions {
  const { session, into, resume, label, name } = values;
  if (operands.length === 0 && !resume) throw wrongUse("this needs PATH...");
  if (operands.filter((path) => path === "-").length > 1) throw wrongUse("standard input can be sent only once");
  const older = resume ? "--resume" : "--session";
  if (resume || session !== undefined) {
    if (label !== "") throw wrongUse(`--label is for a new session, not with ${older}`);
    if (into !== undefined) throw wrongUse(`--into is for a new session, not with ${older}`);
  }
  if (resume && name !== undefined) throw wrongUse("--resume knows the name of standard input; leave --name out");
  if (session !== undefined && !isId(session)) {
    throw wrongUse(`--session is an id such as 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, not ${JSON.stringify(session)}`);
  }
  const chunkBytes = parseBytes(values["chunk-size"] ?? "1MiB", "--chunk-size");
  if (chunkBytes < leastChunkBytes || chunkBytes > mostChunkBytes)
    throw wrongUse("--chunk-size is from 4KiB to 4095KiB");
  return {
    paths: operands,
    folder: process.cwd(),
    connection: values,
    parallel: parseParallel(values.parallel ?? "4"),
    chunkBytes,
    label,
    sessionId: session,
    resume,
    into: into === undefined ? undefined : parseItemPath(into, "--into"),
    stdinName: name,
    replace: values.replace,
    complete: !values["no-complete"],
    json: values.json === true,
    verbose: values.verbose,
    quiet: values.quiet,
  };
}

/** The command line that goes on with a session; never with a token in it. */
export function formatContinue(options: UploadOptions, sessionId: string, replace: boolean): string {
  const words = ["slipway", "upload", "--session", sessionId, ...connectionWords(options)];
  if (options.stdinName !== undefined) words.push("--name", options.stdinName);
  if (replace) words.push("--replace");
  if (!options.complete) words.push("--no-complete");
  if (options.paths.some((path) => path !== "-" && path.startsWith("-"))) words.push("--");
  return [...words, ...options.paths].map(formatShellWord).join(" ");
}

/** The same for an upload that is remembered; the session is named where there are several. */
export function formatResume(options: UploadOptions, sessionId: string | undefined, replace: boolean): string {
  const words = ["slipway", "upload", "--resume"];
  if (sessionId !== undefined) words.push("--session", sessionId);
  words.push(...connectionWords(options));
  if (replace) words.push("--replace");
  return words.map(formatShellWord).join(" ");
}

function connectionWords({ connection }: UploadOptions): string[] {
  const { url, server, protocol } = connection;
  const words: string[] = [];
  if (url !== undefined) words.push("--url", url);
  if (server !== undefined) words.push("--server", server);
  if (protocol !== undefined) words.push("--protocol", protocol);
  return words;
}
