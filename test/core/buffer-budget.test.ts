import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBufferBudget } from "../../src/core/buffer-budget.js";

const kib = 1024;
const mib = 1024 * kib;

describe("the memory budget (P10)", () => {
  it("gives one upload no more than it can use", () => {
    expect(
      createBufferBudget(1024 * mib)
        .join()
        .limit(),
    ).toBe(8 * mib);
    expect(
      createBufferBudget(2 * mib)
        .join()
        .limit(),
    ).toBe(2 * mib);
  });

  it("shrinks every share as others come and grows it as they leave", () => {
    const budget = createBufferBudget(16 * mib);
    const first = budget.join();
    const others = Array.from({ length: 15 }, () => budget.join());
    expect([first, ...others].map((share) => share.limit())).toEqual(Array(16).fill(mib));
    for (const share of others.slice(1)) share.leave();
    expect(first.limit()).toBe(8 * mib);
  });

  it("counts an upload that leaves twice once", () => {
    const budget = createBufferBudget(4 * mib);
    const [first, second, third] = [budget.join(), budget.join(), budget.join()];
    third.leave();
    third.leave();
    expect(first.limit() + second.limit()).toBe(4 * mib);
  });

  it("always leaves each upload enough to make progress", () => {
    const budget = createBufferBudget(1);
    expect(budget.join().limit()).toBe(64 * kib);
  });

  it("is never exceeded by all shares together while each can have its least", () => {
    fc.assert(
      fc.property(fc.integer({ min: mib, max: 512 * mib }), fc.integer({ min: 1, max: 300 }), (maxBytes, count) => {
        const budget = createBufferBudget(maxBytes);
        const shares = Array.from({ length: count }, () => budget.join());
        const together = shares.reduce((sum, share) => sum + share.limit(), 0);
        expect(together).toBeLessThanOrEqual(Math.max(maxBytes, count * 64 * kib));
      }),
    );
  });
});
