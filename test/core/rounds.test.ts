import { describe, expect, it } from "vitest";
import { createRounds } from "../../src/core/rounds.js";

/** Rounds that end when the test says so. */
function openRounds(mostAtOnce = 100) {
  const begun: { inputs: readonly number[]; end(): void; fail(error: Error): void }[] = [];
  const add = createRounds<number, string>(
    (inputs) =>
      new Promise((resolve, reject) => {
        begun.push({ inputs, end: () => resolve(inputs.map(String)), fail: reject });
      }),
    mostAtOnce,
  );
  const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  return { add, begun, turn };
}

describe("rounds", () => {
  it("begin at once when none is under way, and gather who comes meanwhile for the next", async () => {
    const { add, begun, turn } = openRounds();
    const first = [add(1), add(2)];
    await turn();
    const second = [add(3), add(4), add(5)];
    await turn();
    expect(begun.map(({ inputs }) => inputs)).toEqual([[1, 2]]);
    begun[0]!.end();
    expect(await Promise.all(first)).toEqual(["1", "2"]);
    await turn();
    expect(begun.map(({ inputs }) => inputs)).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    begun[1]!.end();
    expect(await Promise.all(second)).toEqual(["3", "4", "5"]);
  });

  it("that fail tell exactly those who were in them, and the next ones run", async () => {
    const { add, begun, turn } = openRounds();
    const failing = Promise.allSettled([add(1), add(2)]);
    await turn();
    const next = add(3);
    begun[0]!.fail(new Error("lost"));
    expect((await failing).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await turn();
    begun[1]!.end();
    expect(await next).toBe("3");
    const later = add(4);
    await turn();
    begun[2]!.end();
    expect(await later).toBe("4");
  });

  it("are of a bounded size, in the order of arrival (P10)", async () => {
    const { add, begun, turn } = openRounds(2);
    const all = [1, 2, 3, 4, 5].map(add);
    for (let round = 0; round < 3; round++) {
      await turn();
      begun[round]!.end();
    }
    expect(await Promise.all(all)).toEqual(["1", "2", "3", "4", "5"]);
    expect(begun.map(({ inputs }) => inputs)).toEqual([[1, 2], [3, 4], [5]]);
  });
});
