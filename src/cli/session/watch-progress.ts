import { type SessionEvent, SessionEventType } from "../../../gen/slipway/upload/v1/event_pb.js";
import type { Context } from "../shell/command.js";
import { formatBytes, formatCount, formatForeign, formatRate } from "../shell/format.js";
import { createStatusLine } from "../shell/status-line.js";

const rateWindowMs = 10_000;

interface Moved {
  readonly fileId: string;
  readonly committedOffset: bigint;
}

/** How far the files of somebody's session are: one line that is redrawn on a terminal, elsewhere a line now and then. */
export interface WatchProgress {
  moved(files: readonly Moved[]): void;
  happened(event: SessionEvent): void;
  /** A line of its own. */
  notice(text: string): void;
  /** Prints something else, and draws anew after it. */
  beside(print: () => Promise<void>): Promise<void>;
  close(): void;
}

/** Silent: only notices are told. */
export function createWatchProgress(
  context: Pick<Context, "env" | "err">,
  silent: boolean,
  now = () => performance.now(),
): WatchProgress {
  const line = createStatusLine(context, now);
  const names = new Map<string, string>();
  const offsets = new Map<string, number>();
  let samples: { readonly at: number; readonly bytes: number }[] = [];
  let total = 0;

  const describe = (): string => {
    const [only] = offsets.keys();
    const what = offsets.size === 1 ? (names.get(only ?? "") ?? "1 file") : formatCount(offsets.size, "file");
    const bytes = [...offsets.values()].reduce((sum, offset) => sum + offset, 0);
    const [first] = samples;
    const rate = first === undefined ? 0 : total - first.bytes;
    const rateText = first === undefined ? "" : `, ${formatRate(rate, now() - first.at)}`;
    return `${formatForeign(what)} under way: ${formatBytes(bytes)}${rateText}`;
  };
  const draw = () => {
    if (offsets.size === 0) line.wipe();
    else if (!silent) line.show(describe());
  };
  return {
    moved(files) {
      for (const { fileId, committedOffset } of files) {
        const offset = Number(committedOffset);
        total += Math.max(0, offset - (offsets.get(fileId) ?? offset));
        offsets.set(fileId, offset);
      }
      draw();
      const at = now();
      samples = [...samples.filter((sample) => at - sample.at <= rateWindowMs), { at, bytes: total }];
    },
    happened({ type, fileId, fileName }) {
      if (fileId === undefined) return;
      if (type === SessionEventType.FILE_ADDED && fileName !== undefined) names.set(fileId, fileName);
      else offsets.delete(fileId);
      if (type === SessionEventType.FILE_REMOVED) names.delete(fileId);
    },
    notice(text) {
      line.wipe();
      context.err.write(`${text}\n`);
    },
    async beside(print) {
      line.wipe();
      await print();
      draw();
    },
    close: line.wipe,
  };
}
