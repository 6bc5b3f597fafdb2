import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createTokenUses, type TokenUses } from "../../src/access/token-uses.js";

let told: { readonly tokenId: string; readonly agoMs: number }[][];
let errors: unknown[];
let isAway: boolean;
let uses: TokenUses;
const never = Number.POSITIVE_INFINITY;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  told = [];
  errors = [];
  isAway = false;
  uses = createTokenUses({
    store: {
      async touchTokens(given) {
        if (isAway) throw new Error("away");
        told.push([...given]);
      },
    },
    elapsed: () => performance.now(),
    onError: (error) => errors.push(error),
  });
});
afterEach(() => vi.useRealTimers());

it("the store is told once a minute, of all tokens at once, and from when each was used last", async () => {
  for (let second = 0; second < 60; second++) {
    uses.note("b", never);
    if (second === 10) uses.note("a", never);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(told).toEqual([
    [
      { tokenId: "a", agoMs: 50_000 },
      { tokenId: "b", agoMs: 1_000 },
    ],
  ]);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(told).toHaveLength(1);
});

it("and sooner when a token would end before that", async () => {
  uses.note("long", never);
  uses.note("short", performance.now() + 1_000);
  await vi.advanceTimersByTimeAsync(500);
  expect(told[0]?.map(({ tokenId }) => tokenId)).toEqual(["long", "short"]);
});

it("what cannot be told is told later, with what came after", async () => {
  isAway = true;
  uses.note("a", never);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([told, errors.length]).toEqual([[], 1]);
  isAway = false;
  uses.note("b", never);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toEqual([
    [
      { tokenId: "a", agoMs: 120_000 },
      { tokenId: "b", agoMs: 60_000 },
    ],
  ]);
});

it("what is left is told at the end", async () => {
  uses.note("a", never);
  await uses.stop();
  await uses.stop();
  expect(told).toEqual([[{ tokenId: "a", agoMs: 0 }]]);
});
