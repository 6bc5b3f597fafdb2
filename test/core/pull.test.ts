import { describe, expect, it } from "vitest";
import { beginPull, type Pull, retryPull, SourceError, sourceFailures } from "../../src/core/index.js";

const now = new Date("2026-03-01T12:00:00.000Z");
const problem = { reason: "source_failed", message: "away", source: "unreachable" } as const;
const ended = { problem, storedBytes: 0, retryAfterMs: undefined, mostTries: 100, spread: 1, now };

const waitOf = (pull: Pull | undefined) => pull && pull.dueAt.getTime() - now.getTime();

/** The waits after one try after the other, until it is given up. */
function waitsOf(times: number, of: Partial<typeof ended> = {}): (number | undefined)[] {
  const waits: (number | undefined)[] = [];
  let pull: Pull | undefined = beginPull(now);
  for (let i = 0; i < times && pull !== undefined; i++) {
    pull = retryPull(pull, { ...ended, ...of });
    waits.push(waitOf(pull));
  }
  return waits;
}

describe("a pull", () => {
  it("is due at once", () => {
    expect(beginPull(now)).toEqual({ dueAt: now, tries: 0, furthestBytes: 0, problem: undefined, found: undefined });
  });

  it("is tried again after 1 s, then after twice as long each time, up to five minutes", () => {
    const seconds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300];
    expect(waitsOf(11)).toEqual(seconds.map((second) => second * 1000));
    expect(waitsOf(90).at(-1)).toBe(300_000);
  });

  it("is spread over the second half of its wait", () => {
    expect(waitsOf(3, { spread: 0 })).toEqual([500, 1000, 2000]);
    expect(waitsOf(3, { spread: 0.5 })).toEqual([750, 1500, 3000]);
  });

  it("waits as long as the source asks, but for no more than five minutes and for no less than it would anyway", () => {
    expect(waitsOf(1, { retryAfterMs: 7_000 } as object)).toEqual([7_000]);
    expect(waitsOf(1, { retryAfterMs: 86_400_000 } as object)).toEqual([300_000]);
    expect(waitsOf(1, { retryAfterMs: 0 } as object)).toEqual([1_000]);
  });

  it("is given up when so many tries in a row came no further", () => {
    expect(waitsOf(10, { mostTries: 3 })).toEqual([1000, 2000, undefined]);
    expect(waitsOf(10, { mostTries: 1 })).toEqual([undefined]);
  });

  it("begins to count anew once tries have come 64 KiB further, and with nothing less", () => {
    let pull = beginPull(now);
    const tries: number[] = [];
    for (const kib of [0, 64, 64, 5, 127, 128, 128]) {
      pull = retryPull(pull, { ...ended, storedBytes: kib * 1024, mostTries: 5 })!;
      tries.push(pull.tries);
    }
    expect(tries).toEqual([1, 0, 1, 2, 3, 0, 1]);
    expect(pull.furthestBytes).toBe(128 * 1024);
  });

  it("that came further is tried once more although one try is all there is", () => {
    const pull = retryPull(beginPull(now), { ...ended, storedBytes: 65_536, mostTries: 1 });
    expect(pull).toMatchObject({ tries: 0, furthestBytes: 65_536 });
    expect(retryPull(pull!, { ...ended, storedBytes: 65_536, mostTries: 1 })).toBeUndefined();
  });

  it("keeps what the source had, and remembers what the last try ended with", () => {
    const found = { attemptId: "a", validator: '"v"', sizeBytes: 3 };
    expect(retryPull({ ...beginPull(now), found }, ended)).toMatchObject({ found, problem });
  });
});

describe("a source's failure", () => {
  it("is tried again exactly where the same try may do better later", () => {
    const retried = sourceFailures.filter((failure) => !new SourceError(failure, "").isFinal);
    expect([...retried].sort()).toEqual(["changed", "ended_early", "not_ready", "timed_out", "unreachable"].sort());
  });
});
