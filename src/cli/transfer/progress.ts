import type { Output } from "../shell/command.js";
import { formatBytes, formatForeign, formatRate, formatSeconds } from "../shell/format.js";

const redrawMs = 200;
const plainMs = 5000;
const rateWindowMs = 10_000;

export interface ProgressOptions {
  readonly out: Output;
  /** Undefined while nobody knows it, as with standard input. */
  readonly totalBytes: number | undefined;
  readonly totalFiles: number;
  readonly now?: () => number;
}

/** One file's place in the whole. */
export interface FileProgress {
  /** How far the file is; goes back when bytes are sent again. */
  at(position: number): void;
  done(): void;
}

/** Says how far a transfer is: one line that is redrawn on a terminal, elsewhere a line now and then. */
export interface Progress {
  begin(): FileProgress;
  /** A line of its own, at once. */
  notice(text: string): void;
  /** Like notice, but not more often than every few seconds: when a server is away, each file in work notices. */
  trouble(text: string): void;
  /** Ends the drawing; what was drawn is wiped from a terminal. */
  close(): void;
}

export function createProgress(options: ProgressOptions): Progress {
  const { out, totalBytes, totalFiles } = options;
  const now = options.now ?? (() => performance.now());
  const onTerminal = out.isTTY === true;
  let bytes = 0;
  let files = 0;
  let lastTrouble = Number.NEGATIVE_INFINITY;
  let drawn = false;
  let told = "";
  let samples = [{ at: now(), bytes: 0 }];

  const describe = (): string => {
    const last = { at: now(), bytes };
    samples = [...samples.filter((sample) => last.at - sample.at <= rateWindowMs), last];
    const first = samples[0] ?? last;
    const spanMs = last.at - first.at;
    const moved = Math.max(0, last.bytes - first.bytes);
    const rate = formatRate(moved, spanMs);
    const doneFiles = totalFiles === 1 ? "" : `, ${files} of ${totalFiles} files`;
    if (totalBytes === undefined) return `${formatBytes(bytes)}, ${rate}${doneFiles}`;
    const percent = totalBytes === 0 ? 100 : Math.floor((bytes / totalBytes) * 100);
    const leftMs = moved > 0 ? ((totalBytes - bytes) / moved) * spanMs : undefined;
    const left = leftMs === undefined || bytes >= totalBytes ? "" : `, ${formatSeconds(leftMs)} left`;
    return `${percent}%  ${formatBytes(bytes)} of ${formatBytes(totalBytes)}, ${rate}${left}${doneFiles}`;
  };
  const wipe = () => {
    if (drawn) out.write("\r\u001b[2K");
    drawn = false;
  };
  const draw = () => {
    const line = describe();
    if (onTerminal) {
      out.write(`\r\u001b[2K${line.slice(0, (out.columns ?? 80) - 1)}`);
      drawn = true;
    } else if (line !== told) out.write(`${line}\n`);
    told = line;
  };
  const timer = setInterval(draw, onTerminal ? redrawMs : plainMs);
  timer.unref();

  const notice = (text: string) => {
    wipe();
    out.write(`${formatForeign(text)}\n`);
    if (onTerminal) draw();
  };
  return {
    begin() {
      let position = 0;
      const at = (next: number) => {
        bytes += next - position;
        position = next;
      };
      return {
        at,
        done: () => {
          files += 1;
        },
      };
    },
    notice,
    trouble(text) {
      if (now() - lastTrouble < plainMs) return;
      lastTrouble = now();
      notice(text);
    },
    close() {
      clearInterval(timer);
      wipe();
    },
  };
}
