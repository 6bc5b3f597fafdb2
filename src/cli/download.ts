import { mkdir } from "node:fs/promises";
import type { File } from "../../gen/slipway/upload/v1/file_pb.js";
import { CliError, systemCodeOf } from "./shell/cli-error.js";
import type { UploadClient } from "./connection/client.js";
import type { Context } from "./shell/command.js";
import { type Downloaded, downloadFile } from "./transfer/download-file.js";
import { formatBytes, formatForeign, formatRate, formatSeconds } from "./shell/format.js";
import { interruptedExitCode } from "./shell/interrupt.js";
import { listFiles } from "./transfer/listing.js";
import { printJson } from "./shell/output.js";
import { pathOf, planOutput } from "./transfer/output-paths.js";
import { parseParallel, runParallel } from "./transfer/parallel.js";
import { createProgress, type Progress } from "./transfer/progress.js";
import { createRetry } from "./connection/retry.js";
import { describeError, isFileError } from "./connection/rpc-error.js";
import { defineServerCommand } from "./connection/server-command.js";

export const download = defineServerCommand({
  path: "download",
  summary: "fetch the files of a session",
  description: `Fetches the files of a session, all or those that are named, with the folders that they were uploaded
from. Bytes are kept in NAME.*.part until the file is whole and its SHA-256 is right; the same command
goes on where it was interrupted. A file that is there already with the right content is left alone.`,
  operands: { shape: "SESSION [FILE-NAME...]", least: 1, most: Number.POSITIVE_INFINITY },
  options: {
    output: { type: "string", value: "DIR", default: ".", summary: "where to put them (.)", completes: "folder" },
    parallel: { type: "string", value: "N", default: "4", summary: "files under way at once (4)" },
    force: { type: "boolean", default: false, summary: "replace files that have other content" },
  },
  examples: [
    "slipway download 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --output restored",
    "slipway download 6f9619ff-8b86-4d01-b42d-00cf4fc964ff photos/beach.jpg",
  ],
  retryFor: "10m",
  check: ({ values }) => parseParallel(values.parallel),
  async run({ values, operands: [sessionId = "", ...names], client, context, signal, connection, json }) {
    const { output, force } = values;
    const options = { sessionId, names, parallel: parseParallel(values.parallel), output, force, json };
    return await runDownload({ client, options, context, signal, retryForMs: connection.retryForMs });
  },
});

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
