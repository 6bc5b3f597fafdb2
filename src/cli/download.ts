import type { Lookup } from "./catalog/find.js";
import { describeError, isFileError } from "./connection/rpc-error.js";
import { defineServerCommand } from "./connection/server-command.js";
import { makeFolder } from "./files/make-folder.js";
import { CliError, systemCodeOf, wrongUse } from "./shell/cli-error.js";
import type { Context } from "./shell/command.js";
import { formatBytes, formatForeign, formatRate, formatSeconds } from "./shell/format.js";
import { exitCodeOf } from "./shell/interrupt.js";
import { printJson, writeOut } from "./shell/output.js";
import { type Downloaded, downloadFile, streamFile } from "./transfer/download-file.js";
import { type DownloadSource, openSource, type RemoteFile } from "./transfer/download-source.js";
import { planOutput } from "./transfer/output-paths.js";
import { parseParallel, runParallel } from "./transfer/parallel.js";
import { createProgress } from "./transfer/progress.js";

export const download = defineServerCommand({
  path: "download",
  summary: "fetch the files of a session or an item",
  description: `Fetches the files of a session, or of an item as they are now: all of them or those that are named, with
the folders that they were uploaded from. Bytes are kept in NAME.*.part until the file is whole and its
SHA-256 is right; the same command goes on where it was interrupted. A file that is there already with
the right content is left alone. \`--output -\` writes one file to standard output.`,
  operands: { shape: "SESSION|LIBRARY/ITEM [FILE-NAME...]", least: 1, most: Number.POSITIVE_INFINITY },
  options: {
    output: { type: "string", value: "DIR", default: ".", summary: "where to put them (.)", completes: "folder" },
    parallel: { type: "string", value: "N", default: "4", summary: "files under way at once (4)" },
    force: { type: "boolean", default: false, summary: "replace files that have other content" },
    verbose: { type: "boolean", default: false, short: "v", summary: "print the SHA-256 of every file" },
    quiet: { type: "boolean", default: false, short: "q", summary: "say nothing but what went wrong" },
  },
  examples: [
    "slipway download 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --output restored",
    "slipway download 6f9619ff-8b86-4d01-b42d-00cf4fc964ff photos/beach.jpg",
    "slipway download albums/summer",
    "slipway download dumps/shop shop.sql --output - | psql shop",
  ],
  retryFor: "10m",
  check({ values }) {
    parseParallel(values.parallel);
    if (values.output === "-" && values.json === true)
      throw wrongUse("--output - takes standard output; leave --json out");
  },
  async run({ values, operands: [word = "", ...names], client, ask, context, signal, connection, json }) {
    const { output, force, verbose, quiet } = values;
    const options = { word, names, parallel: parseParallel(values.parallel), output, force, verbose, quiet, json };
    return await runDownload({ lookup: { client, ask }, options, context, signal, retryForMs: connection.retryForMs });
  },
});

interface Run {
  readonly lookup: Lookup;
  readonly options: {
    readonly word: string;
    readonly names: readonly string[];
    readonly parallel: number;
    readonly output: string;
    readonly force: boolean;
    readonly verbose: boolean;
    readonly quiet: boolean;
    readonly json: boolean;
  };
  readonly context: Context;
  readonly signal: AbortSignal;
  readonly retryForMs: number;
}

interface Outcome {
  readonly source: DownloadSource;
  readonly done: readonly Downloaded[];
  readonly failed: readonly string[];
  readonly tookMs: number;
}

async function runDownload(run: Run): Promise<number> {
  const { context, signal, options } = run;
  const toStdout = options.output === "-";
  const startedAt = performance.now();
  try {
    const source = await openSource(run.lookup, options.word);
    const files = pick(source, options.names);
    const { done, failed } = toStdout ? await stream(run, source, files) : await fetchAll(run, source, files);
    report(run, { source, done, failed, tookMs: performance.now() - startedAt });
    return failed.length === 0 ? 0 : 1;
  } catch (error) {
    if (!signal.aborted) throw error;
    context.err.write(
      toStdout ? "Interrupted; what was written is not whole.\n" : "Interrupted; the same command goes on from here.\n",
    );
    return exitCodeOf(signal);
  }
}

/** Files by name or path; all of them when none is named. */
function pick({ kind, files }: DownloadSource, names: readonly string[]): readonly RemoteFile[] {
  if (names.length === 0) return files;
  const wanted = new Set(names);
  const picked = files.filter((file) => wanted.has(file.name) || wanted.has(file.path));
  const found = new Set(picked.flatMap((file) => [file.name, file.path]));
  const missing = names.filter((name) => !found.has(name));
  if (missing.length > 0)
    throw new CliError(`the ${kind} has no file ${missing.map((name) => JSON.stringify(name)).join(", ")}`);
  return picked;
}

function begin({ context, options }: Run, files: readonly RemoteFile[]) {
  const totalBytes = files.reduce((sum, file) => sum + (file.content?.sizeBytes ?? 0), 0);
  // Bytes on a terminal and a bar in between would spoil each other.
  const quiet = options.quiet || (options.output === "-" && context.out.isTTY === true);
  return createProgress({ env: context.env, err: context.err, totalBytes, totalFiles: files.length, quiet });
}

async function fetchAll(run: Run, source: DownloadSource, files: readonly RemoteFile[]) {
  const { options, retryForMs } = run;
  const { output, force } = options;
  const places = planOutput(files);
  await makeFolder(output).catch((error: unknown) => {
    throw new CliError(`${output} cannot be made (${systemCodeOf(error) ?? error})`, 1, error);
  });
  const progress = begin(run, files);
  const done: Downloaded[] = [];
  const failed: string[] = [];
  try {
    await runParallel([...places], options.parallel, run.signal, async ([file, place], signal) => {
      try {
        done.push(await downloadFile({ source, output, force, retryForMs, progress, signal }, file, place));
      } catch (error) {
        if (signal.aborted || !isFileError(error)) throw error;
        const message = describeError(error);
        const sentence = message.includes(place) ? message : `${place}: ${message}`;
        failed.push(sentence);
        progress.failure(sentence);
      }
    });
  } finally {
    progress.close();
  }
  return { done, failed };
}

async function stream(run: Run, source: DownloadSource, files: readonly RemoteFile[]) {
  const { retryForMs, signal } = run;
  const [file, ...others] = files;
  if (file === undefined || others.length > 0) {
    throw new CliError(`--output - takes one file, and the ${source.kind} has ${files.length}: name it`, 2);
  }
  const progress = begin(run, files);
  try {
    const take = (bytes: Uint8Array) => writeOut(run.context, bytes, signal);
    return { done: [await streamFile({ source, retryForMs, progress, signal }, file, take)], failed: [] };
  } finally {
    progress.close();
  }
}

function report(run: Run, { source, done, failed, tookMs }: Outcome): void {
  const { context, options } = run;
  const bytes = done.reduce((sum, file) => sum + file.sizeBytes, 0);
  if (options.json) {
    const { kind, id, contentVersion } = source;
    const from = kind === "session" ? { sessionId: id } : { itemId: id, contentVersion };
    const seconds = Math.round(tookMs) / 1000;
    printJson(context, { ...from, output: options.output, files: done, failed, bytes, seconds });
  } else if (!options.quiet) describe(run, { source, done, failed, tookMs }, bytes);
  if (failed.length > 0)
    context.err.write(`slipway download: ${failed.length} of ${failed.length + done.length} files failed\n`);
}

function describe({ context, options }: Run, { source, done, tookMs }: Outcome, bytes: number): void {
  const toStdout = options.output === "-";
  // Standard output is the file's own then.
  const out = toStdout ? context.err : context.out;
  const say = (line: string) => out.write(`${formatForeign(line)}\n`);
  if (options.verbose || done.length === 1) for (const file of done) say(`${file.sha256}  ${file.path}`);
  const skipped = done.filter((file) => file.skipped).length;
  const there = skipped === 0 ? "" : `, ${skipped} of them there already`;
  const fetched = done.reduce((sum, file) => sum + (file.skipped ? 0 : file.sizeBytes), 0);
  const where = toStdout ? "standard output" : options.output;
  const version = source.contentVersion === undefined ? "" : ` of content version ${source.contentVersion}`;
  say(
    `${done.length} ${done.length === 1 ? "file" : "files"}${version}${there}, ${formatBytes(bytes)} in ${formatSeconds(tookMs)} (${formatRate(fetched, tookMs)}) to ${where}`,
  );
  if (done.length === 1) say("verified end to end: the file has the same SHA-256 here and on the server");
  if (done.length > 1)
    say(`verified end to end: each of ${done.length} files has the same SHA-256 here and on the server`);
}
