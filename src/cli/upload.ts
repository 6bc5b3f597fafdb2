import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Session, SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import { CliError, FileChanged } from "./shell/cli-error.js";
import { callTimeoutMs, type UploadClient } from "./connection/client.js";
import type { Context } from "./shell/command.js";
import { printJson } from "./shell/output.js";
import { formatBytes, formatForeign, formatRate, formatSeconds } from "./shell/format.js";
import { interruptedExitCode } from "./shell/interrupt.js";
import { runParallel } from "./transfer/parallel.js";
import { createProgress, type Progress } from "./transfer/progress.js";
import { createRetry, type Retry } from "./connection/retry.js";
import { describeError, isFileError } from "./connection/rpc-error.js";
import { defineServerCommand } from "./connection/server-command.js";
import { uploadFile } from "./transfer/upload-file.js";
import { formatContinue, parseUploadOptions, type UploadOptions, uploadOptions } from "./transfer/upload-options.js";
import { type PlannedFile, planUpload } from "./transfer/upload-plan.js";
import type { UploadDeps, Uploaded } from "./transfer/upload-standing.js";
import { uploadStdin } from "./transfer/upload-stdin.js";

export const upload = defineServerCommand({
  path: "upload",
  summary: "send files and folders",
  description: `Sends files and folders in one session: all of them become visible together at the end. A folder is
walked; symbolic links inside it are skipped. \`-\` is standard input. It goes on by itself after a lost
connection or a restarted server, and checks the SHA-256 of every file from one end to the other.`,
  operands: { shape: "PATH...", least: 1, most: Number.POSITIVE_INFINITY, completes: "file" },
  options: uploadOptions,
  examples: [
    "slipway upload holiday.mov",
    'slipway upload photos/ notes.txt --label "summer" --parallel 8',
    "pg_dump shop | slipway upload - --name shop.sql",
    "slipway upload --session 6f9619ff-8b86-4d01-b42d-00cf4fc964ff photos/",
  ],
  retryFor: "10m",
  check: parseUploadOptions,
  async run({ values, operands, client, context, signal, connection }) {
    const options = parseUploadOptions({ values, operands });
    const planned = await planUpload(options.paths, options.stdinName, (text) =>
      context.err.write(`${formatForeign(text)}\n`),
    );
    if (planned.length === 0) throw new CliError("there is nothing to upload");
    return await runUpload({ client, options, planned, context, signal, retryForMs: connection.retryForMs });
  },
});

interface Run {
  readonly client: UploadClient;
  readonly options: UploadOptions;
  readonly planned: readonly PlannedFile[];
  readonly context: Context;
  readonly signal: AbortSignal;
  readonly retryForMs: number;
}

interface Failed {
  readonly path: string;
  readonly message: string;
  /** True when it was not what the session had heard of it. */
  readonly changed: boolean;
}

async function runUpload(run: Run): Promise<number> {
  const { options, planned, context, signal } = run;
  const startedAt = performance.now();
  const totalBytes = planned.reduce<number | undefined>(
    (sum, { sizeBytes }) => (sum === undefined || sizeBytes === undefined ? undefined : sum + sizeBytes),
    0,
  );
  const progress = createProgress({ out: context.err, totalBytes, totalFiles: planned.length });
  let sessionId = options.sessionId;
  try {
    let session = await openSession(run, progress);
    sessionId = session.id;
    const { done, failed } = await sendAll(run, session.id, progress);
    if (failed.length === 0 && options.complete) session = await complete(run, progress, session.id);
    progress.close();
    report(run, session, done, failed, performance.now() - startedAt);
    if (failed.length === 0) return 0;
    const replace = options.replace || failed.some((file) => file.changed);
    context.err.write(`To go on: ${formatContinue(options, session.id, replace)}\n`);
    return 1;
  } catch (error) {
    progress.close();
    const next = sessionId === undefined ? "" : `To go on: ${formatContinue(options, sessionId, options.replace)}\n`;
    if (signal.aborted) {
      context.err.write(`Interrupted; what arrived is kept.\n${next}`);
      return interruptedExitCode;
    }
    context.err.write(`slipway upload: ${describeError(error)}\n${next}`);
    return error instanceof CliError ? error.exitCode : 1;
  }
}

async function openSession(run: Run, progress: Progress): Promise<Session> {
  const { client, options } = run;
  const retry = retryOf(run, progress);
  if (options.sessionId === undefined) {
    const request = { clientToken: randomUUID(), label: options.label };
    const answer = await retry.call((signal) =>
      client.sessions.createSession(request, { signal, timeoutMs: callTimeoutMs }),
    );
    const session = assertSession(answer.session);
    progress.notice(`session ${session.id}`);
    return session;
  }
  const request = { sessionId: options.sessionId };
  const answer = await retry.call((signal) =>
    client.sessions.getSession(request, { signal, timeoutMs: callTimeoutMs }),
  );
  const session = assertSession(answer.session);
  if (session.state === SessionState.ACTIVE) return session;
  throw new CliError(`session ${session.id} is ${SessionState[session.state].toLowerCase()} and takes no more files`);
}

/** Sends every file. What is wrong with one of them does not stop the others; what is wrong with the session does. */
async function sendAll(
  run: Run,
  sessionId: string,
  progress: Progress,
): Promise<{ done: Uploaded[]; failed: Failed[] }> {
  const done = new Map<PlannedFile, Uploaded>();
  const failed: Failed[] = [];
  const { client, options, retryForMs } = run;
  const { chunkBytes, replace } = options;
  await runParallel(run.planned, options.parallel, run.signal, async (file, signal) => {
    const deps: UploadDeps = { client, sessionId, chunkBytes, replace, retryForMs, progress, signal };
    const { location } = file;
    try {
      done.set(
        file,
        await (location === undefined
          ? uploadStdin(deps, file, run.context.stdin)
          : uploadFile(deps, { ...file, location })),
      );
    } catch (error) {
      if (signal.aborted || !isFileError(error)) throw error;
      const message = describeError(error);
      failed.push({ path: file.path, message, changed: error instanceof FileChanged });
      progress.notice(message.includes(file.path) ? message : `${file.path}: ${message}`);
    }
  });
  return { done: run.planned.flatMap((file) => done.get(file) ?? []), failed };
}

async function complete(run: Run, progress: Progress, sessionId: string): Promise<Session> {
  const { client, signal: stop } = run;
  const retry = retryOf(run, progress);
  const request = { sessionId };
  const answer = await retry.call((signal) =>
    client.sessions.completeSession(request, { signal, timeoutMs: callTimeoutMs }),
  );
  let session = assertSession(answer.session);
  for (let waitMs = 50; session.state === SessionState.COMPLETING; waitMs = Math.min(waitMs * 2, 2000)) {
    await sleep(waitMs, undefined, { signal: stop });
    const asked = await retry.call((signal) =>
      client.sessions.getSession(request, { signal, timeoutMs: callTimeoutMs }),
    );
    session = assertSession(asked.session);
  }
  if (session.state === SessionState.DONE) return session;
  throw new CliError(`the session failed: ${session.failure?.message?.defaultMessage ?? "no reason was given"}`);
}

function report(
  run: Run,
  session: Session,
  done: readonly Uploaded[],
  failed: readonly Failed[],
  tookMs: number,
): void {
  const { context, options } = run;
  const sum = (pick: (file: Uploaded) => number) => done.reduce((total, file) => total + pick(file), 0);
  const bytes = sum((file) => file.sizeBytes);
  const sentBytes = sum((file) => file.sentBytes);
  const resentBytes = sum((file) => file.resentBytes);
  const state = SessionState[session.state].toLowerCase();
  if (options.json) {
    const seconds = Math.round(tookMs) / 1000;
    const bytesPerSecond = tookMs > 0 ? Math.round((sentBytes * 1000) / tookMs) : 0;
    printJson(context, {
      sessionId: session.id,
      state,
      files: done,
      failed,
      bytes,
      sentBytes,
      resentBytes,
      seconds,
      bytesPerSecond,
    });
    return;
  }
  if (options.verbose) for (const file of done) context.out.write(`${file.sha256}  ${formatForeign(file.path)}\n`);
  const skipped = done.filter((file) => file.skipped).length;
  const there = skipped === 0 ? "" : `, ${skipped} of them there already`;
  context.out.write(
    `session ${session.id} is ${state}: ${done.length} ${done.length === 1 ? "file" : "files"}${there}, ${formatBytes(bytes)} in ${formatSeconds(tookMs)} (${formatRate(sentBytes, tookMs)})\n`,
  );
  context.out.write(`re-sent ${resentBytes} bytes (${(resentBytes / 2 ** 20).toFixed(1)} MiB)\n`);
  if (failed.length > 0) context.err.write(`slipway upload: ${failed.length} of ${run.planned.length} files failed\n`);
}

function retryOf(run: Run, progress: Progress): Retry {
  return createRetry({
    retryForMs: run.retryForMs,
    signal: run.signal,
    notify: (error, delayMs) => progress.trouble(`${describeError(error)}, retrying in ${formatSeconds(delayMs)}`),
  });
}

function assertSession(session: Session | undefined): Session {
  if (session === undefined) throw new CliError("the server's answer holds no session");
  return session;
}
