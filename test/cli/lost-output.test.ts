// What becomes of results that standard output does not take, by real processes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const bin = fileURLToPath(new URL("../../src/cli/slipway.cjs", import.meta.url));

async function runInto(path: string, words: readonly string[]) {
  const place = await open(path, "w");
  try {
    const child = spawn(process.execPath, [bin, ...words], { env: {}, stdio: ["ignore", place.fd, "pipe"] });
    const [stderr, [exitCode]] = await Promise.all([text(child.stderr!), once(child, "close")]);
    return { exitCode, stderr };
  } finally {
    await place.close();
  }
}

it.each([[["version", "--json"]], [["help"]], [["completion", "bash"]]])(
  "a full disk under the results of %j fails the command with one sentence",
  async (words) => {
    const { exitCode, stderr } = await runInto("/dev/full", words);
    expect(stderr).toMatch(/^slipway: standard output takes nothing more: ENOSPC[^\n]*\n$/);
    expect(exitCode).toBe(1);
  },
);

it("a reader that has seen enough does not fail a command", async () => {
  const child = spawn(process.execPath, [bin, "completion", "bash"], { env: {}, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  const [stderr, [exitCode]] = await Promise.all([text(child.stderr), once(child, "close")]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
});
