// What an upload says at its end.
import { type Session, SessionState } from "../../../gen/slipway/upload/v1/session_pb.js";
import { formatBytes, formatForeign, formatRate, formatSeconds, formatShellWord } from "../shell/format.js";
import { printJson } from "../shell/output.js";
import { formatContinue, formatResume } from "./upload-options.js";
import type { UploadRun } from "./upload-run.js";
import type { Uploaded } from "./upload-standing.js";
import type { Target } from "./upload-target.js";

export interface Failed {
  readonly path: string;
  readonly message: string;
  /** True when it was not what the session had heard of it. */
  readonly changed: boolean;
}

/** What became of the files, and of the session. */
export interface Outcome {
  readonly session: Session;
  readonly target: Target | undefined;
  readonly done: readonly Uploaded[];
  readonly failed: readonly Failed[];
  readonly tookMs: number;
}

export function reportUpload(run: UploadRun, outcome: Outcome): void {
  const { context, options } = run;
  const { failed } = outcome;
  if (options.json) printJson(context, summarize(outcome));
  else if (!options.quiet) context.out.write(describe(run, outcome));
  if (failed.length > 0) context.err.write(`slipway upload: ${failed.length} of ${run.planned.length} files failed\n`);
}

function summarize({ session, target, done, failed, tookMs }: Outcome) {
  const sentBytes = sumOf(done, (file) => file.sentBytes);
  return {
    sessionId: session.id,
    state: stateOf(session),
    item: target,
    files: done,
    failed,
    bytes: sumOf(done, (file) => file.sizeBytes),
    sentBytes,
    resentBytes: sumOf(done, (file) => file.resentBytes),
    seconds: Math.round(tookMs) / 1000,
    bytesPerSecond: tookMs > 0 ? Math.round((sentBytes * 1000) / tookMs) : 0,
  };
}

function describe({ options }: UploadRun, { session, target, done, tookMs }: Outcome): string {
  const [first] = done;
  const skipped = done.filter((file) => file.skipped).length;
  const there = skipped === 0 ? "" : `, ${skipped} of them there already`;
  const bytes = formatBytes(sumOf(done, (file) => file.sizeBytes));
  const rate = formatRate(
    sumOf(done, (file) => file.sentBytes),
    tookMs,
  );
  const resentBytes = sumOf(done, (file) => file.resentBytes);
  const lines = options.verbose || done.length === 1 ? done.map((file) => `${file.sha256}  ${file.path}`) : [];
  lines.push(
    `session ${session.id} is ${stateOf(session)}: ${formatCount(done.length)}${there}, ${bytes} in ${formatSeconds(tookMs)} (${rate})`,
    `re-sent ${resentBytes} bytes (${(resentBytes / 2 ** 20).toFixed(1)} MiB)`,
  );
  if (first !== undefined) {
    const whose =
      done.length === 1 ? "the file has the same SHA-256" : `each of ${done.length} files has the same SHA-256`;
    lines.push(`verified end to end: ${whose} here and on the server`);
  }
  if (target !== undefined)
    lines.push(`${formatForeign(target.path)} is at content version ${target.contentVersion} now`);
  return lines.map((line) => `${formatForeign(line)}\n`).join("");
}

/** The commands that go on with it. */
export async function adviseResume(run: UploadRun, sessionId: string, replace: boolean): Promise<string> {
  const { options, journal } = run;
  const byHand = formatContinue(options, sessionId, replace);
  const known = (await journal?.list().catch(() => [])) ?? [];
  if (!known.some((upload) => upload.sessionId === sessionId)) return `To go on: ${byHand}\n`;
  const resume = formatResume(options, known.length === 1 ? undefined : sessionId, replace);
  const where = options.folder === process.cwd() ? "" : ` (in ${formatForeign(formatShellWord(options.folder))})`;
  return `To go on: ${resume}\nor by hand: ${byHand}${where}\n`;
}

export function stateOf(session: Session): string {
  return SessionState[session.state].toLowerCase();
}

export function formatCount(files: number): string {
  return `${files} ${files === 1 ? "file" : "files"}`;
}

function sumOf(files: readonly Uploaded[], pick: (file: Uploaded) => number): number {
  return files.reduce((sum, file) => sum + pick(file), 0);
}
