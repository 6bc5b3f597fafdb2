// How far a transfer is, as one line. No colours and no odd characters: the same on every terminal.
import { formatBytes, formatRate, formatSeconds } from "../shell/format.js";

export interface Standing {
  readonly bytes: number;
  /** Undefined while nobody knows it, as with standard input. */
  readonly totalBytes: number | undefined;
  readonly files: number;
  readonly totalFiles: number;
  /** What moved in how long, for rate and time left. */
  readonly moved: { readonly bytes: number; readonly ms: number };
}

const leastBar = 8;
const mostBar = 40;

/** For a log: everything that is known. */
export function formatPlain(standing: Standing): string {
  const { percent, amount, rate, left, files } = wordsOf(standing);
  const rest = [amount, rate, left, files].filter((word) => word !== "").join(", ");
  return percent === "" ? rest : `${percent}  ${rest}`;
}

/** With a bar, for a terminal of so many columns; a narrow one gets less, and none a line that would wrap. */
export function formatBar(standing: Standing, columns: number): string {
  const { percent, amount, rate, left, files } = wordsOf(standing);
  const room = Math.max(0, columns - 1);
  const width = Math.min(mostBar, Math.max(leastBar, Math.floor(columns / 6)));
  const bar = barOf(standing, width);
  const shapes = [
    [bar, percent.padStart(4), amount, rate, left, files],
    [bar, percent.padStart(4), amount, rate, left],
    [bar, percent.padStart(4), rate, left],
    [bar, percent.padStart(4), left === "" ? amount : left],
    [bar, percent.padStart(4)],
  ];
  const lines = shapes.map((words) => words.filter((word) => word.trim() !== "").join("  "));
  return lines.find((line) => line.length <= room) ?? (percent === "" ? amount : percent).slice(0, room);
}

function barOf({ bytes, totalBytes }: Standing, width: number): string {
  if (totalBytes === undefined) return "";
  const filled = totalBytes === 0 ? width : Math.max(0, Math.min(width, Math.floor((bytes / totalBytes) * width)));
  const head = filled < width ? ">" : "";
  return `[${"#".repeat(filled)}${head}${" ".repeat(width - filled - head.length)}]`;
}

function wordsOf({ bytes, totalBytes, files, totalFiles, moved }: Standing) {
  const rate = formatRate(moved.bytes, moved.ms);
  const doneFiles = totalFiles === 1 ? "" : `${files} of ${totalFiles} files`;
  if (totalBytes === undefined) return { percent: "", amount: formatBytes(bytes), rate, left: "", files: doneFiles };
  const whole = totalBytes === 0 ? 100 : Math.floor((bytes / totalBytes) * 100);
  const leftMs = moved.bytes > 0 ? ((totalBytes - bytes) / moved.bytes) * moved.ms : undefined;
  return {
    // A file that grows while it is sent is refused at its end, and not earlier.
    percent: `${Math.max(0, Math.min(100, whole))}%`,
    amount: `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`,
    rate,
    left: leftMs === undefined || bytes >= totalBytes ? "" : `${formatSeconds(leftMs)} left`,
    files: doneFiles,
  };
}
