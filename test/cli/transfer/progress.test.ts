import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createProgress } from "../../../src/cli/transfer/progress.js";

const mib = 2 ** 20;
let text: string;
const err = (isTTY: boolean, columns = 80) => ({
  isTTY,
  columns,
  write: (data: string | Uint8Array) => {
    text += data;
  },
});
const whole = { totalBytes: 100 * mib, totalFiles: 1, now: () => Date.now() };

beforeEach(() => {
  text = "";
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("progress", () => {
  it("is one line on a terminal that is drawn anew, stays at the end, and never hides the cursor", () => {
    const progress = createProgress({ ...whole, env: { TERM: "xterm" }, err: err(true) });
    const file = progress.begin();
    for (let i = 1; i <= 4; i += 1) {
      file.at(25 * i * mib);
      vi.advanceTimersByTime(200);
    }
    progress.close();
    expect(text.split("\r")).toHaveLength(6);
    expect(text).not.toContain("\x1b[?25l");
    expect(text.split("\r").at(-1)).toBe(`[${"#".repeat(13)}]  100%  100 MiB of 100 MiB  125 MiB/s\x1b[K\n`);
  });

  it.each([
    ["no terminal", false, {}],
    ["a terminal that cannot", true, { TERM: "dumb" }],
    ["automation", true, { TERM: "xterm", CI: "true" }],
  ])("is a line every five seconds for %s, with nothing that moves a cursor", (_, isTTY, env) => {
    const progress = createProgress({ ...whole, env, err: err(isTTY) });
    const file = progress.begin();
    file.at(10 * mib);
    vi.advanceTimersByTime(12_000);
    progress.notice("a notice");
    progress.close();
    expect(text).toBe(
      "10%  10 MiB of 100 MiB, 2 MiB/s, 45 s left\n10%  10 MiB of 100 MiB, 1 MiB/s, 90 s left\na notice\n",
    );
  });

  it("is nothing when it shall be quiet, but for failures", () => {
    const progress = createProgress({ ...whole, env: {}, err: err(true), quiet: true });
    progress.begin().at(mib);
    vi.advanceTimersByTime(1000);
    progress.notice("a notice");
    progress.trouble("trouble");
    progress.failure("a failure");
    progress.close();
    expect(text).toBe("a failure\n");
  });

  it("does not count what was there before as fast", () => {
    const progress = createProgress({ ...whole, env: {}, err: err(false) });
    const file = progress.begin();
    file.found(80 * mib);
    file.at(85 * mib);
    vi.advanceTimersByTime(5000);
    progress.close();
    expect(text).toBe("85%  85 MiB of 100 MiB, 1 MiB/s, 15 s left\n");
  });

  it("draws as wide as the terminal is at that moment", () => {
    const terminal = err(true, 80);
    const progress = createProgress({ ...whole, env: {}, err: terminal });
    progress.begin().at(50 * mib);
    vi.advanceTimersByTime(200);
    terminal.columns = 20;
    vi.advanceTimersByTime(200);
    progress.close();
    expect(text.split("\r").at(-1)).toBe("[####>   ]   50%\x1b[K\n");
  });
});
