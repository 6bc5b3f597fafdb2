import { runCommandLine } from "../../src/cli/main.js";

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as it was written. */
  readonly bytes: Buffer;
}

export interface CliOptions {
  readonly env?: Record<string, string>;
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** What somebody at a terminal answers to questions. Without it nobody looks at one. */
  readonly typed?: string;
  /** Told of each piece of standard output. */
  readonly onOutput?: (text: string) => void;
}

/** Runs one command line in this process. */
export async function runCli(words: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const { typed, onOutput } = options;
  const stdout: Buffer[] = [];
  const stderr: string[] = [];
  const stdin = options.stdin ?? streamOf(typed ?? "");
  const isTTY = typed !== undefined;
  const exitCode = await runCommandLine(words, {
    env: options.env ?? {},
    stdin: { [Symbol.asyncIterator]: () => stdin[Symbol.asyncIterator](), isTTY },
    out: {
      isTTY,
      write(data, done) {
        stdout.push(Buffer.from(data));
        onOutput?.(Buffer.from(data).toString());
        done?.();
      },
    },
    err: { isTTY, write: (data) => stderr.push(String(data)) },
  });
  const bytes = Buffer.concat(stdout);
  return { exitCode, stdout: bytes.toString(), stderr: stderr.join(""), bytes };
}

async function* streamOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
