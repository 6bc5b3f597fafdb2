import { describe, expect, it } from "vitest";
import { beginBody } from "../../../src/rest/kit/begin-body.js";
import { readWhole } from "../../support/bodies.js";

/** These bytes, one a chunk, and whether they were let go. */
function open(bytes: readonly number[], failure?: Error) {
  const state = { isOpen: true };
  async function* run() {
    try {
      for (const byte of bytes) yield Uint8Array.of(byte);
      if (failure !== undefined) throw failure;
    } finally {
      state.isOpen = false;
    }
  }
  return { state, body: run() };
}

describe("a body that is begun", () => {
  it.each([[[]], [[1]], [[1, 2, 3]]])("gives all of %j, and is let go at its end", async (bytes) => {
    const { state, body } = open(bytes);
    const begun = await beginBody(body, new AbortController().signal);
    expect([...(await readWhole(begun))]).toEqual(bytes);
    expect(state.isOpen).toBe(false);
  });

  it("throws at once what keeps the first bytes from coming, and in its place what keeps later ones", async () => {
    const lost = new Error("lost");
    const { signal } = new AbortController();
    await expect(beginBody(open([], lost).body, signal)).rejects.toBe(lost);
    const begun = await beginBody(open([1], lost).body, signal);
    await expect(readWhole(begun)).rejects.toBe(lost);
  });

  it.each(["before its first bytes came", "before it was read", "while it was read"])(
    "is let go by whoever goes %s",
    async (when) => {
      const { state, body } = open([1, 2, 3]);
      const controller = new AbortController();
      if (when.startsWith("before its")) controller.abort();
      const begun = await beginBody(body, controller.signal);
      if (when.startsWith("while")) await begun[Symbol.asyncIterator]().next();
      expect(state.isOpen).toBe(!when.startsWith("before its"));
      controller.abort();
      await expect.poll(() => state.isOpen).toBe(false);
    },
  );

  it("is let go by a reader that does not begin", async () => {
    const { state, body } = open([1, 2, 3]);
    await (await beginBody(body, new AbortController().signal))[Symbol.asyncIterator]().return?.();
    expect(state.isOpen).toBe(false);
  });

  it("is let go by a reader that stops early", async () => {
    const { state, body } = open([1, 2, 3]);
    for await (const _ of await beginBody(body, new AbortController().signal)) break;
    expect(state.isOpen).toBe(false);
  });
});
