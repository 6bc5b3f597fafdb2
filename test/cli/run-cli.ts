import { runCommandLine } from "../../src/cli/main.js";

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line in this process, where nobody looks at a terminal. */
export async function runCli(
  words: readonly string[],
  options: { env?: Record<string, string>; stdin?: AsyncIterable<Uint8Array> } = {},
): Promise<CliRun> {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const exitCode = await runCommandLine(words, {
    env: options.env ?? {},
    stdin: options.stdin ?? (async function* () {})(),
    out: { write: (text) => stdout.push(text) },
    err: { write: (text) => stderr.push(text) },
  });
  return { exitCode, stdout: stdout.join(""), stderr: stderr.join("") };
}
