import type { Environment } from "./settings.js";

/** Somewhere to print to; the process's own streams are such. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What a command runs in. */
export interface Context {
  readonly env: Environment;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Results, and nothing else. */
  readonly out: Output;
  /** Progress, notices and errors. */
  readonly err: Output;
}

/** One word after `slipway`. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Usage, options and examples, as `--help` prints them. */
  readonly help: string;
  /** Answers the exit code: 0 done, 1 failed, 2 wrong use. */
  run(words: readonly string[], context: Context): Promise<number>;
}

/** Options of every command that talks to a server, for parseArgs. */
export const connectionOptions = {
  url: { type: "string" },
  token: { type: "string" },
  protocol: { type: "string" },
  "retry-for": { type: "string" },
  json: { type: "boolean" },
} as const;

export const connectionHelp = `Connection:
  --url URL          the server; SLIPWAY_URL, else http://127.0.0.1:8080. Over https, a certificate
                     of a private authority is trusted when NODE_EXTRA_CA_CERTS names its file
  --token TOKEN      who you are; SLIPWAY_TOKEN, else, for a server on this machine, its administrator
                     with the password in initial-admin-password in SLIPWAY_DATA_DIR or ./slipway-data
  --protocol NAME    connect (HTTP/1.1, the default) or grpc (HTTP/2)
  --retry-for TIME   how long to go on trying without progress (10m)

Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted.`;

export function printJson(context: Context, value: unknown): void {
  context.out.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
