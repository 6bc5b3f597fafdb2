import { describe, expect, it } from "vitest";
import { untilAborted } from "../../src/core/until-aborted.js";
import { bodyOf, brokenBody, hangingBody, readWhole } from "../support/bodies.js";

const bytes = (...values: number[]) => new Uint8Array(values);

describe("a source that is read until a signal aborts", () => {
  it("gives what it has, and its own error", async () => {
    const signal = new AbortController().signal;
    expect(await readWhole(untilAborted(bodyOf([bytes(1), bytes(2)]), signal))).toEqual(bytes(1, 2));
    const broken = untilAborted(brokenBody([bytes(1)], new Error("reset")), undefined);
    await expect(readWhole(broken)).rejects.toThrow("reset");
  });

  it("ends at once with the signal's reason although it is silent for ever", async () => {
    const controller = new AbortController();
    const reading = readWhole(untilAborted(hangingBody([bytes(1)]), controller.signal));
    setImmediate(() => controller.abort(new Error("gone")));
    await expect(reading).rejects.toThrow("gone");
  });

  it("is not taken for finished when it ends because of the signal (P11)", async () => {
    const controller = new AbortController();
    async function* ending() {
      yield bytes(1);
      controller.abort(new Error("deadline"));
    }
    await expect(readWhole(untilAborted(ending(), controller.signal))).rejects.toThrow("deadline");
  });

  it("is let go of when its reader stops, and is not waited for", async () => {
    let returned = false;
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: bytes(1) }),
        return() {
          returned = true;
          return new Promise(() => undefined);
        },
      }),
    };
    for await (const _ of untilAborted(source, undefined)) break;
    expect(returned).toBe(true);
  });
});
