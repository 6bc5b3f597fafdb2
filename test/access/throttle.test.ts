import { beforeEach, expect, it } from "vitest";
import { createThrottle, type Throttle } from "../../src/access/throttle.js";
import { isUploadError } from "../../src/core/index.js";

let now = 0;
let throttle: Throttle;
beforeEach(() => {
  now = 1_000;
  throttle = createThrottle(() => now, 100);
});

function isRefused(key: string): boolean {
  try {
    throttle.enter(key).abandon();
    return false;
  } catch (error) {
    if (!isUploadError(error, "too_many")) throw error;
    expect(error.details.reason).toBe("LOGIN_THROTTLED");
    return true;
  }
}
const fail = (key: string, times = 1) => {
  for (let n = 0; n < times; n++) throttle.enter(key).fail();
};

it("five failures are free, then each further attempt waits, 1 s at first, twice as long each time, 30 s at most", () => {
  fail("a", 5);
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    now += seconds * 1_000 - 1;
    expect(isRefused("a"), `${seconds} s`).toBe(true);
    now += 1;
    fail("a");
  }
});

it("one key's failures are nothing to another", () => {
  fail("a", 5);
  expect([isRefused("a"), isRefused("b")]).toEqual([true, false]);
});

it("an attempt that is refused does not make the wait longer", () => {
  fail("a", 5);
  for (let n = 0; n < 50; n++) expect(isRefused("a")).toBe(true);
  now += 1_000;
  expect(isRefused("a")).toBe(false);
});

it("a success is a new beginning", () => {
  fail("a", 5);
  now += 1_000;
  throttle.enter("a").succeed();
  fail("a", 4);
  expect(isRefused("a")).toBe(false);
});

it("so are 15 minutes without a failure", () => {
  fail("a", 5);
  now += 15 * 60_000;
  fail("a", 4);
  expect(isRefused("a")).toBe(false);
});

it("attempts under way count: asking all at once gains nothing", () => {
  const attempts = Array.from({ length: 5 }, () => throttle.enter("a"));
  expect(isRefused("a")).toBe(true);
  for (const attempt of attempts) attempt.fail();
  expect(isRefused("a")).toBe(true);
  now += 1_000;
  const next = throttle.enter("a");
  expect(isRefused("a")).toBe(true);
  next.fail();
});

it("an attempt that came to nothing counts for nothing", () => {
  for (let n = 0; n < 50; n++) throttle.enter("a").abandon();
  expect(isRefused("a")).toBe(false);
});

it("of too many keys the one that failed longest ago is forgotten (P10)", () => {
  fail("first", 5);
  fail("second", 5);
  for (let n = 0; n < 99; n++) fail(`key ${n}`);
  expect([isRefused("second"), isRefused("first")]).toEqual([true, false]);
});
