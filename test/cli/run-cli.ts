import { runCommandLine } from "../../src/cli/main.js";
import type { Output } from "../../src/cli/shell/command.js";

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
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  const exitCode = await runCommandLine(words, {
    env: options.env ?? {},
    stdin: options.stdin ?? (async function* () {})(),
    out: writeTo(stdout),
    err: writeTo(stderr),
  });
  return { exitCode, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

function writeTo(pieces: Uint8Array[]): Output {
  return {
    write(data, done) {
      pieces.push(Buffer.from(data));
      done?.();
    },
  };
}
