import { SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import { describeError, isFileError } from "./connection/rpc-error.js";
import { defineServerCommand } from "./connection/server-command.js";
import { CliError, FileChanged } from "./shell/cli-error.js";
import { formatForeign } from "./shell/format.js";
import { exitCodeOf } from "./shell/interrupt.js";
import { printJson } from "./shell/output.js";
import { runParallel } from "./transfer/parallel.js";
import { createProgress } from "./transfer/progress.js";
import { uploadFile } from "./transfer/upload-file.js";
import { findJournal } from "./transfer/upload-journal.js";
import { parseUploadOptions, uploadOptions } from "./transfer/upload-options.js";
import { type PlannedFile, planUpload } from "./transfer/upload-plan.js";
import { adviseResume, type Failed, reportUpload } from "./transfer/upload-report.js";
import { resumeUpload } from "./transfer/upload-resume.js";
import {
  askFor,
  completeSession,
  explainLoss,
  openSession,
  SessionOver,
  type UploadRun,
} from "./transfer/upload-run.js";
import type { UploadDeps, Uploaded } from "./transfer/upload-standing.js";
import { uploadStdin } from "./transfer/upload-stdin.js";
import { findTarget } from "./transfer/upload-target.js";

export const upload = defineServerCommand({
  path: "upload",
  summary: "send files and folders",
  description: `Sends files and folders in one session: all of them become visible together at the end. A folder is
walked; symbolic links inside it are skipped. \`-\` is standard input. It goes on by itself after a lost
connection or a restarted server, and checks the SHA-256 of every file from one end to the other.

After Ctrl-C, or any other end, \`slipway upload --resume\` goes on where it was; of several unfinished
uploads it says how to name one. With --into the files become those of an item in a library.`,
  operands: { shape: "PATH...", least: 0, most: Number.POSITIVE_INFINITY, completes: "file" },
  options: uploadOptions,
  examples: [
    "slipway upload holiday.mov",
    'slipway upload photos/ notes.txt --label "summer" --parallel 8',
    "slipway upload --resume",
    "slipway upload photos/ --into albums/summer",
    "pg_dump shop | slipway upload - --name shop.sql",
    "slipway upload --session 6f9619ff-8b86-4d01-b42d-00cf4fc964ff photos/",
  ],
  retryFor: "10m",
  check: parseUploadOptions,
  async run(call) {
    const { client, context, signal, connection } = call;
    const asked = parseUploadOptions(call);
    const journal = findJournal(context.env, connection.url);
    const options = asked.resume ? await resumeUpload(asked, call, journal, connection.url) : asked;
    if (asked.resume && options.paths.includes("-") && context.stdin.isTTY === true) {
      throw new CliError("that upload was of standard input: pipe the same into it again");
    }
    const notify = (text: string) => context.err.write(`${formatForeign(text)}\n`);
    const planned = await planUpload(options.paths, options.stdinName, notify, options.folder);
    if (planned.length === 0) throw new CliError("there is nothing to upload");
    const totalBytes = planned.reduce<number | undefined>(
      (sum, { sizeBytes }) => (sum === undefined || sizeBytes === undefined ? undefined : sum + sizeBytes),
      0,
    );
    const { env, err } = context;
    const progress = createProgress({ env, err, totalBytes, totalFiles: planned.length, quiet: options.quiet });
    const { retryForMs } = connection;
    return await runUpload({ client, options, planned, journal, context, signal, retryForMs, progress });
  },
});

async function runUpload(run: UploadRun): Promise<number> {
  const { options, context, signal, progress } = run;
  const startedAt = performance.now();
  let { sessionId } = options;
  try {
    let session = await openSession(run);
    sessionId = session.id;
    await remember(run, session.id);
    const { done, failed } = await explainLoss(session.id, () => sendAll(run, session.id));
    if (failed.length === 0 && options.complete) session = await completeSession(run, session.id);
    const completed = session.state === SessionState.DONE;
    const target = completed ? await findTarget({ client: run.client, ask: askFor(run) }, session) : undefined;
    if (failed.length === 0) await forget(run, session.id);
    progress.close();
    reportUpload(run, { session, target, done, failed, tookMs: performance.now() - startedAt });
    if (failed.length === 0) return 0;
    const replace = options.replace || failed.some((file) => file.changed);
    context.err.write(await adviseResume(run, session.id, replace));
    return 1;
  } catch (error) {
    progress.close();
    if (error instanceof SessionOver) return await giveUp(run, error);
    const next = sessionId === undefined ? "" : await adviseResume(run, sessionId, options.replace);
    if (signal.aborted) {
      context.err.write(sessionId === undefined ? "Interrupted.\n" : `Interrupted; what arrived is kept.\n${next}`);
      return exitCodeOf(signal);
    }
    context.err.write(`slipway upload: ${describeError(error)}\n${next}`);
    return error instanceof CliError ? error.exitCode : 1;
  }
}

/** Not being able to is no reason not to upload. */
async function remember(run: UploadRun, sessionId: string): Promise<void> {
  const { folder, paths, stdinName, parallel, chunkBytes, complete } = run.options;
  try {
    await run.journal?.remember({ sessionId, folder, paths, stdinName, parallel, chunkBytes, complete });
  } catch (error) {
    run.progress.failure(`--resume will not know of this upload: ${describeError(error)}`);
  }
}

async function forget(run: UploadRun, sessionId: string): Promise<void> {
  try {
    await run.journal?.forget(sessionId);
  } catch (error) {
    run.progress.failure(`--resume will go on offering this upload: ${describeError(error)}`);
  }
}

/** The session takes nothing any more. For one that is resumed, to find it done is what was wanted. */
async function giveUp(run: UploadRun, over: SessionOver): Promise<number> {
  const { context, options } = run;
  await forget(run, over.sessionId);
  if (options.resume && over.state === SessionState.DONE) {
    if (options.json) printJson(context, { sessionId: over.sessionId, state: "done", files: [], failed: [] });
    if (!options.quiet) context.err.write(`session ${over.sessionId} is done already; nothing is left to go on with\n`);
    return 0;
  }
  context.err.write(`slipway upload: ${describeError(over)}\n`);
  return 1;
}

/** Sends every file. What is wrong with one of them does not stop the others; what is wrong with the session does. */
async function sendAll(run: UploadRun, sessionId: string): Promise<{ done: Uploaded[]; failed: Failed[] }> {
  const done = new Map<PlannedFile, Uploaded>();
  const failed: Failed[] = [];
  const { client, options, retryForMs, progress } = run;
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
      progress.failure(message.includes(file.path) ? message : `${file.path}: ${message}`);
    }
  });
  return { done: run.planned.flatMap((file) => done.get(file) ?? []), failed };
}
