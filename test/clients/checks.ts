// Programs that are clients of ours and make checks of their own: each check is a test here.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);

export interface Report {
  readonly code: number | string | null;
  readonly stderr: string;
  /** What is wrong with each; undefined where nothing is. */
  readonly checks: ReadonlyMap<string, string | undefined>;
}

interface Ended {
  readonly code?: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end, good or bad. It prints `ok title` or `FAIL title:<tab>why`, a line a check. */
export async function runChecks(
  program: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Report> {
  const options = { env: { ...process.env, ...env }, maxBuffer: 16 * 2 ** 20 };
  const { code = 0, stdout, stderr }: Ended = await run(program, words, options).catch((failed: Ended) => failed);
  const checks = new Map<string, string | undefined>();
  for (const line of stdout.split("\n").filter((line) => line !== "")) {
    const [, title, why] = /^ok (.*)$/.exec(line) ?? /^FAIL (.*?):\t(.*)$/.exec(line) ?? [];
    if (title === undefined || checks.has(title)) throw new Error(`the program printed ${JSON.stringify(line)}`);
    checks.set(title, why);
  }
  return { code, stderr, checks };
}

/** A test for each check, and that there are more of them than `least`. */
export function itPasses({ code, stderr, checks }: Report, least: number): void {
  for (const [title, why] of checks) it(title, () => expect(why).toBeUndefined());

  it("makes all of its checks, and ends well where all of them do", () => {
    expect(stderr).toBe("");
    expect(checks.size).toBeGreaterThan(least);
    expect(code === 0).toBe([...checks.values()].every((why) => why === undefined));
  });
}
