import type { Context } from "./command.js";
import { mayRedraw } from "./redraw.js";

const plainMs = 5000;

/** A line that says how far something is: drawn over and over on a terminal, elsewhere printed now and then. */
export interface StatusLine {
  show(text: string): void;
  /** Takes it away from a terminal, so that something else can be printed; the next `show` brings it back. */
  wipe(): void;
}

export function createStatusLine(
  { err: out, env }: Pick<Context, "env" | "err">,
  now: () => number = () => performance.now(),
): StatusLine {
  const onTerminal = mayRedraw(out, env);
  let drawn = false;
  let shownAt = now();
  let shown = "";
  return {
    show(text) {
      if (onTerminal) {
        out.write(`\r\u001b[2K${text.slice(0, (out.columns ?? 80) - 1)}`);
        drawn = true;
      } else if (text !== shown && now() - shownAt >= plainMs) {
        out.write(`${text}\n`);
        shownAt = now();
        shown = text;
      }
    },
    wipe() {
      if (drawn) out.write("\r\u001b[2K");
      drawn = false;
    },
  };
}
