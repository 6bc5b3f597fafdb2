import { beforeEach, expect, it } from "vitest";
import { createKnowledge, type Knowledge } from "../../src/access/knowledge.js";

let now = 0;
let asked: string[];
let answers: Map<string, number>;
let knowledge: Knowledge<number>;
/** What answers wait for. */
let gate: Promise<void>;

beforeEach(() => {
  now = 0;
  asked = [];
  answers = new Map([["a", 1]]);
  gate = Promise.resolve();
  knowledge = createKnowledge({
    async ask(key) {
      asked.push(key);
      const answer = answers.get(key);
      await gate;
      return answer;
    },
    trustMs: () => 5_000,
    elapsed: () => now,
    mostKeys: 3,
  });
});

function close(): () => void {
  let open = (): void => undefined;
  gate = new Promise((resolve) => {
    open = resolve;
  });
  return () => open();
}

it("asks once while the answer is trusted, and again afterwards", async () => {
  for (const at of [0, 1, 4_999]) {
    now = at;
    expect(await knowledge.get("a")).toBe(1);
  }
  expect(asked).toEqual(["a"]);
  now = 5_000;
  expect(knowledge.peek("a")).toBeUndefined();
  answers.set("a", 2);
  expect(await knowledge.get("a")).toBe(2);
});

it("trusts an answer from when it was asked for, not from when it came", async () => {
  const open = close();
  const answer = knowledge.get("a");
  now = 4_000;
  open();
  expect(await answer).toBe(1);
  now = 5_000;
  expect(knowledge.peek("a")).toBeUndefined();
});

it("those who ask at the same time ask once", async () => {
  expect(await Promise.all([knowledge.get("a"), knowledge.get("a")])).toEqual([1, 1]);
  expect(asked).toEqual(["a"]);
});

it("asks every time for what is not there", async () => {
  expect([await knowledge.get("b"), await knowledge.get("b")]).toEqual([undefined, undefined]);
  expect(asked).toEqual(["b", "b"]);
});

it("does not keep an answer that was on its way when something changed, nor share it any more", async () => {
  const open = close();
  const before = knowledge.get("a");
  answers.set("a", 2);
  knowledge.forget(() => true);
  const after = knowledge.get("a");
  open();
  expect(await Promise.all([before, after])).toEqual([1, 2]);
  expect(await knowledge.get("a")).toBe(2);
});

it("keeps what has not changed", async () => {
  answers.set("b", 2);
  await Promise.all([knowledge.get("a"), knowledge.get("b")]);
  knowledge.forget((value) => value === 2);
  expect([knowledge.peek("a"), knowledge.peek("b")]).toEqual([1, undefined]);
});

it("an error is not kept", async () => {
  const open = close();
  gate = gate.then(() => Promise.reject(new Error("away")));
  const failing = expect(knowledge.get("a")).rejects.toThrow("away");
  open();
  await failing;
  gate = Promise.resolve();
  expect(await knowledge.get("a")).toBe(1);
});

it("holds so many answers and no more (P10)", async () => {
  for (const key of ["b", "c", "d"]) answers.set(key, 0);
  for (const key of ["a", "b", "c", "d"]) await knowledge.get(key);
  expect([knowledge.peek("a"), knowledge.peek("d")]).toEqual([undefined, 0]);
});
