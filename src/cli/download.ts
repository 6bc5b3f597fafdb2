import { mkdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { File } from "../../gen/slipway/upload/v1/file_pb.js";
import { CliError, systemCodeOf, wrongUse } from "./cli-error.js";
import { connectClient, type UploadClient } from "./client.js";
import { type Command, type Context, connectionHelp, connectionOptions, printJson } from "./command.js";
import { type Downloaded, downloadFile } from "./download-file.js";
import { formatBytes, formatForeign, formatRate, formatSeconds } from "./format.js";
import { interruptedExitCode, withInterrupt } from "./interrupt.js";
import { listFiles } from "./listing.js";
import { pathOf, planOutput } from "./output-paths.js";
import { runParallel } from "./parallel.js";
import { createProgress, type Progress } from "./progress.js";
import { createRetry } from "./retry.js";
import { describeError, isFileError } from "./rpc-error.js";
import { parseWhole, readConnection } from "./settings.js";

const help = `Usage: slipway download [OPTIONS] SESSION [FILE-NAME...]

Fetches the files of a session, all or those that are named, with the folders that they were uploaded
from. Bytes are kept in NAME.*.part until the file is whole and its SHA-256 is right; the same command
goes on where it was interrupted. A file that is there already with the right content is left alone.

  --output DIR       where to put them (.)
  --parallel N       files under way at once (4)
  --force            replace files that have other content
  --json             print one JSON object at the end

Examples:
  slipway download 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --output restored
  slipway download 6f9619ff-8b86-4d01-b42d-00cf4fc964ff photos/beach.jpg

${connectionHelp}`;

export const download: Command = {
  name: "download",
  summary: "fetch the files of a session",
  help,
  async run(words, context) {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        ...connectionOptions,
        output: { type: "string", default: "." },
        parallel: { type: "string", default: "4" },
        force: { type: "boolean", default: false },
      },
    });
    const [sessionId, ...names] = positionals;
    if (sessionId === undefined) throw wrongUse("name the session to download");
    const parallel = parseWhole(values.parallel, "--parallel", 1, 64);
    const connection = await readConnection(values, context.env);
    const client = connectClient(connection);
    const options = {
      sessionId,
      names,
      parallel,
      output: values.output,
      force: values.force,
      json: values.json === true,
    };
    try {
      return await withInterrupt((signal) =>
        runDownload({ client, options, context, signal, retryForMs: connection.retryForMs }),
      );
    } finally {
      client.close();
    }
  },
};

interface Run {
  readonly client: UploadClient;
  readonly options: {
    readonly sessionId: string;
    readonly names: readonly string[];
    readonly parallel: number;
    readonly output: string;
    readonly force: boolean;
    readonly json: boolean;
  };
  readonly context: Context;
  readonly signal: AbortSignal;
  readonly retryForMs: number;
}

async function runDownload(run: Run): Promise<number> {
  const { context, signal } = run;
  const startedAt = performance.now();
  try {
    const places = planOutput(pick(await list(run), run.options.names));
    const { done, failed } = await fetchAll(run, places);
    report(run, done, failed, performance.now() - startedAt);
    return failed.length === 0 ? 0 : 1;
  } catch (error) {
    if (!signal.aborted) throw error;
    context.err.write("Interrupted; the same command goes on from here.\n");
    return interruptedExitCode;
  }
}

async function list(run: Run): Promise<File[]> {
  const retry = createRetry({
    retryForMs: run.retryForMs,
    signal: run.signal,
    notify: (error, delayMs) =>
      run.context.err.write(`${describeError(error)}, retrying in ${formatSeconds(delayMs)}\n`),
  });
  return listFiles(run.client, retry, run.options.sessionId);
}

/** Files by name or path; all of them when none is named. */
function pick(files: readonly File[], names: readonly string[]): readonly File[] {
  if (names.length === 0) return files;
  const wanted = new Set(names);
  const picked = files.filter((file) => wanted.has(file.spec?.name ?? "") || wanted.has(pathOf(file)));
  const found = new Set(picked.flatMap((file) => [file.spec?.name ?? "", pathOf(file)]));
  const missing = names.filter((name) => !found.has(name));
  if (missing.length > 0)
    throw new CliError(`the session has no file ${missing.map((name) => JSON.stringify(name)).join(", ")}`);
  return picked;
}

async function fetchAll(
  run: Run,
  places: ReadonlyMap<File, string>,
): Promise<{ done: Downloaded[]; failed: string[] }> {
  const { client, options, retryForMs, context } = run;
  const { output, force } = options;
  await mkdir(output, { recursive: true }).catch((error: unknown) => {
    throw new CliError(`${output} cannot be made (${systemCodeOf(error) ?? error})`, 1, error);
  });
  const totalBytes = [...places.keys()].reduce((sum, file) => sum + Number(file.content?.sizeBytes ?? 0n), 0);
  const progress: Progress = createProgress({ out: context.err, totalBytes, totalFiles: places.size });
  const done: Downloaded[] = [];
  const failed: string[] = [];
  try {
    await runParallel([...places], options.parallel, run.signal, async ([file, place], signal) => {
      try {
        done.push(await downloadFile({ client, output, force, retryForMs, progress, signal }, file, place));
      } catch (error) {
        if (signal.aborted || !isFileError(error)) throw error;
        const message = describeError(error);
        failed.push(message.includes(place) ? message : `${place}: ${message}`);
        progress.notice(failed.at(-1) ?? "");
      }
    });
  } finally {
    progress.close();
  }
  return { done, failed };
}

function report(run: Run, done: readonly Downloaded[], failed: readonly string[], tookMs: number): void {
  const { context, options } = run;
  const bytes = done.reduce((sum, file) => sum + file.sizeBytes, 0);
  if (options.json) {
    const seconds = Math.round(tookMs) / 1000;
    printJson(context, { sessionId: options.sessionId, output: options.output, files: done, failed, bytes, seconds });
    return;
  }
  const skipped = done.filter((file) => file.skipped).length;
  const there = skipped === 0 ? "" : `, ${skipped} of them there already`;
  const fetched = done.reduce((sum, file) => sum + (file.skipped ? 0 : file.sizeBytes), 0);
  context.out.write(
    `${done.length} ${done.length === 1 ? "file" : "files"}${there}, ${formatBytes(bytes)} in ${formatSeconds(tookMs)} (${formatRate(fetched, tookMs)}) to ${formatForeign(options.output)}\n`,
  );
  if (failed.length > 0)
    context.err.write(`slipway download: ${failed.length} of ${failed.length + done.length} files failed\n`);
}
