import { pino } from "pino";
import type { Config } from "./config.js";

export type Log = ReturnType<typeof createLog>;

/** The log goes to standard error: standard output belongs to what a command prints. */
export function createLog(config: Config["log"]) {
  const options = { level: config.level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (config.format === "json") return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(options, { write: (line: string) => void process.stderr.write(prettify(line)) });
}

/** `12:00:00 warn  message  key=value`, for people. */
function prettify(line: string): string {
  const { level, time, msg, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const label = pino.levels.labels[Number(level)] ?? String(level);
  const values = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const trace = (err as { stack?: string } | undefined)?.stack;
  const words = [String(time).slice(11, 19), label.padEnd(5), String(msg ?? ""), ...values].join(" ");
  return `${words}${trace === undefined ? "" : `\n${trace}`}\n`;
}
