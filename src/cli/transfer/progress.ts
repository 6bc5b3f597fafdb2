import type { Context } from "../shell/command.js";
import { formatForeign } from "../shell/format.js";
import { mayRedraw } from "../shell/redraw.js";
import { formatBar, formatPlain, type Standing } from "./progress-line.js";

const redrawMs = 200;
const plainMs = 5000;
const rateWindowMs = 10_000;

export interface ProgressOptions extends Pick<Context, "env" | "err"> {
  /** Undefined while nobody knows it, as with standard input. */
  readonly totalBytes: number | undefined;
  readonly totalFiles: number;
  /** Nothing but failures. */
  readonly quiet?: boolean;
  readonly now?: () => number;
}

/** One file's place in the whole. */
export interface FileProgress {
  /** How far the file is; goes back when bytes are sent again. */
  at(position: number): void;
  /** The same for bytes that were there before: they count for how far it is, and not for how fast. */
  found(position: number): void;
  done(): void;
}

/** Says how far a transfer is: one line that is redrawn on a terminal, elsewhere a line now and then. */
export interface Progress {
  begin(): FileProgress;
  /** A line of its own, at once. */
  notice(text: string): void;
  /** Like notice, but not more often than every few seconds: when a server is away, each file in work notices. */
  trouble(text: string): void;
  /** A line that is printed however quiet it shall be. */
  failure(text: string): void;
  /** Ends the drawing, and leaves on a terminal how far it came, if anything was ever drawn. */
  close(): void;
}

/**
 * The cursor is never hidden, so that it need not be brought back, however the command ends; and nothing but the line
 * that it stands in is touched, since terminals disagree about what becomes of a long line in a window that shrinks.
 */
export function createProgress(options: ProgressOptions): Progress {
  const { err: out, totalBytes, totalFiles, quiet = false } = options;
  const now = options.now ?? (() => performance.now());
  const onTerminal = mayRedraw(out, options.env);
  const begunAt = now();
  let bytes = 0;
  let moved = 0;
  let files = 0;
  let lastTrouble = Number.NEGATIVE_INFINITY;
  let drawn = false;
  let everDrawn = false;
  let closed = false;
  let told = "";
  let samples = [{ at: begunAt, moved: 0 }];

  const standingSince = (first: { readonly at: number; readonly moved: number }): Standing => {
    const spent = { bytes: Math.max(0, moved - first.moved), ms: now() - first.at };
    return { bytes, totalBytes, files, totalFiles, moved: spent };
  };
  const lately = (): Standing => {
    const last = { at: now(), moved };
    samples = [...samples.filter((sample) => last.at - sample.at <= rateWindowMs), last];
    return standingSince(samples[0] ?? last);
  };
  const paint = (standing: Standing) => {
    out.write(`\r${formatBar(standing, out.columns || 80)}\u001b[K`);
    drawn = true;
    everDrawn = true;
  };
  const draw = () => {
    if (quiet || closed) return;
    if (onTerminal) return paint(lately());
    const line = formatPlain(lately());
    if (line !== told) out.write(`${line}\n`);
    told = line;
  };
  const timer = setInterval(draw, onTerminal ? redrawMs : plainMs);
  timer.unref();

  const failure = (text: string) => {
    if (drawn) out.write("\r\u001b[K");
    drawn = false;
    out.write(`${formatForeign(text)}\n`);
    if (everDrawn) draw();
  };
  const notice = (text: string) => {
    if (!quiet) failure(text);
  };
  return {
    begin() {
      let position = 0;
      const go = (next: number) => {
        const delta = next - position;
        bytes += delta;
        position = next;
        return delta;
      };
      return {
        at(next) {
          moved += go(next);
        },
        found: (next) => void go(next),
        done() {
          files += 1;
        },
      };
    },
    notice,
    failure,
    trouble(text) {
      if (now() - lastTrouble < plainMs) return;
      lastTrouble = now();
      notice(text);
    },
    close() {
      if (closed) return;
      clearInterval(timer);
      if (onTerminal && !quiet && (everDrawn || bytes > 0)) {
        paint(standingSince({ at: begunAt, moved: 0 }));
        out.write("\n");
      }
      closed = true;
    },
  };
}
