import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { createBodyReader } from "../../src/core/body-reader.js";
import { bodyOf, hangingBody } from "../support/bodies.js";

const bytes = (...values: number[]) => new Uint8Array(values);

async function readAll(reader: ReturnType<typeof createBodyReader>): Promise<number[]> {
  const all: number[] = [];
  for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) all.push(...chunk);
  return all;
}

describe("reading a body", () => {
  it("gives the chunks in order, passes over empty ones, and ends for good", async () => {
    const reader = createBodyReader(bodyOf([bytes(), bytes(1, 2), bytes(), bytes(3), bytes()]), []);
    expect(await readAll(reader)).toEqual([1, 2, 3]);
    expect(await reader.next()).toBeUndefined();
  });

  it("gives put-back bytes first, also at the end, and forgets empty ones", async () => {
    const reader = createBodyReader(bodyOf([bytes(1, 2), bytes(3)]), []);
    reader.unread((await reader.next())!.subarray(1));
    expect(await reader.next()).toEqual(bytes(2));
    reader.unread(bytes());
    expect(await reader.next()).toEqual(bytes(3));
    expect(await reader.next()).toBeUndefined();
    reader.unread(bytes(4));
    expect(await readAll(reader)).toEqual([4]);
  });

  it("throws what the body throws, and throws when the body cannot even begin", async () => {
    const broken = new Error("connection reset");
    const failing = createBodyReader({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(broken) }) }, []);
    await expect(failing.next()).rejects.toBe(broken);
    const throwing = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          throw broken;
        },
      }),
    };
    await expect(createBodyReader(throwing, []).next()).rejects.toBe(broken);
  });

  it("is left within milliseconds when a signal aborts, though the body never says another word (P7)", async () => {
    const [calm, alarm] = [new AbortController(), new AbortController()];
    const reader = createBodyReader(hangingBody([bytes(1)]), [undefined, calm.signal, alarm.signal]);
    expect(await reader.next()).toEqual(bytes(1));
    const reason = new Error("superseded");
    const waiting = reader.next().then(
      () => undefined,
      (error: unknown) => ({ error, at: performance.now() }),
    );
    await sleep(10);
    const abortedAt = performance.now();
    alarm.abort(reason);
    const left = (await waiting)!;
    expect(left.error).toBe(reason);
    expect(left.at - abortedAt).toBeLessThan(100);
    reader.close();
  });

  it("asks the body for nothing once a signal has aborted", async () => {
    const next = vi.fn();
    const reason = new Error("gone");
    const reader = createBodyReader({ [Symbol.asyncIterator]: () => ({ next }) }, [AbortSignal.abort(reason)]);
    await expect(reader.next()).rejects.toBe(reason);
    expect(next).not.toHaveBeenCalled();
  });

  it("that was aborted stays aborted, though the body goes on", async () => {
    const controller = new AbortController();
    const reader = createBodyReader(bodyOf([bytes(1), bytes(2)]), [controller.signal]);
    await reader.next();
    controller.abort(new Error("gone"));
    await expect(reader.next()).rejects.toThrow("gone");
    await expect(reader.next()).rejects.toThrow("gone");
  });
});

describe("letting go of a body", () => {
  it("tells a body that has not ended, once, and does not wait for its clean-up", async () => {
    const end = vi.fn(() => new Promise<never>(() => undefined));
    const endless = { next: async () => ({ done: false as const, value: bytes(1) }), return: end };
    const reader = createBodyReader({ [Symbol.asyncIterator]: () => endless }, []);
    await reader.next();
    reader.close();
    reader.close();
    expect(end).toHaveBeenCalledTimes(1);
    expect(await reader.next()).toBeUndefined();
  });

  it("leaves a body alone that has ended", async () => {
    const end = vi.fn(async () => ({ done: true as const, value: undefined }));
    const empty = { next: async () => ({ done: true as const, value: undefined }), return: end };
    const reader = createBodyReader({ [Symbol.asyncIterator]: () => empty }, []);
    await reader.next();
    reader.close();
    expect(end).not.toHaveBeenCalled();
  });

  it("survives a body whose clean-up fails", async () => {
    const end = async () => Promise.reject(new Error("too late"));
    const endless = { next: async () => ({ done: false as const, value: bytes(1) }), return: end };
    const reader = createBodyReader({ [Symbol.asyncIterator]: () => endless }, []);
    await reader.next();
    reader.close();
    await sleep(5);
  });

  it("takes its ears off the signals, of which it has one each however many chunks came (P10)", async () => {
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, "addEventListener");
    const remove = vi.spyOn(signal, "removeEventListener");
    const chunks = Array.from({ length: 500 }, () => bytes(1));
    const reader = createBodyReader(bodyOf(chunks), [signal]);
    expect(await readAll(reader)).toHaveLength(500);
    reader.close();
    expect(add).toHaveBeenCalledTimes(1);
    expect(remove).toHaveBeenCalledTimes(1);
    expect(remove.mock.calls[0]![1]).toBe(add.mock.calls[0]![1]);
  });

  it("leaves no memory behind per chunk (P10)", async () => {
    const { signal } = new AbortController();
    const chunk = bytes(1);
    let left = 300_000;
    const body = { next: async () => ({ done: --left < 0, value: chunk }) as IteratorResult<Uint8Array> };
    const reader = createBodyReader({ [Symbol.asyncIterator]: () => body }, [signal]);
    const heap: number[] = [];
    for (let i = 0; (await reader.next()) !== undefined; i++) {
      if (i % 100_000 === 99_999) heap.push(await measureHeap());
    }
    expect(heap).toHaveLength(3);
    // A reaction kept for each chunk would be some 100 bytes: 20 MB over the last 200 000 chunks.
    expect(heap[2]! - heap[0]!).toBeLessThan(8 * 2 ** 20);
  });
});

/** What is in use after a collection, forced through a heap snapshot's flag where `gc` is not exposed. */
async function measureHeap(): Promise<number> {
  const { setFlagsFromString } = await import("node:v8");
  const { runInNewContext } = await import("node:vm");
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  await sleep(1);
  return process.memoryUsage().heapUsed;
}
