import { expect, it } from "vitest";
import { createLook } from "../../src/server/look.js";

it("looks that come together, or soon after an answer, are one question", async () => {
  let asked = 0;
  const look = createLook({ ask: async () => ++asked, freshMs: 60_000, waitMs: 10_000 });
  expect(await Promise.all([look(), look()])).toEqual([1, 1]);
  expect(await look()).toBe(1);
});

it("an answer that is not fresh is asked for anew", async () => {
  let asked = 0;
  const look = createLook({ ask: async () => ++asked, freshMs: 0, waitMs: 10_000 });
  expect([await look(), await look()]).toEqual([1, 2]);
});

it("what does not answer is waited for no longer than said, is not asked twice, and is known once it does", async () => {
  let asked = 0;
  let answer = (_value: string): void => undefined;
  const ask = () => {
    asked++;
    return new Promise<string>((resolve) => {
      answer = resolve;
    });
  };
  const look = createLook({ ask, freshMs: 60_000, waitMs: 20 });
  expect([await look(), await look(), asked]).toEqual([undefined, undefined, 1]);
  answer("late");
  expect([await look(), asked]).toEqual(["late", 1]);
});

it("what fails is not known", async () => {
  const look = createLook({ ask: () => Promise.reject(new Error("away")), freshMs: 0, waitMs: 10_000 });
  expect(await look()).toBeUndefined();
});
