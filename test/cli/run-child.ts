import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface CliChild {
  readonly exited: Promise<number | null>;
  stdout(): string;
  stderr(): string;
  signal(name: "SIGINT" | "SIGKILL"): void;
}

const bin = fileURLToPath(new URL("../../src/cli/slipway.cjs", import.meta.url));

/** Runs one command line as a process of its own, for what a signal does to it. */
export function runChild(words: readonly string[], env: Readonly<Record<string, string>>): CliChild {
  const child = spawn(process.execPath, [bin, ...words], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    texts.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    texts.stderr += text;
  });
  return {
    exited: once(child, "close").then(([code]) => code as number | null),
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    signal: (name) => void child.kill(name),
  };
}
