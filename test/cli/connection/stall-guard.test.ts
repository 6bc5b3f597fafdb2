import { setTimeout as sleep } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { isTransient } from "../../../src/cli/connection/rpc-error.js";
import { createStallGuard } from "../../../src/cli/connection/stall-guard.js";

/** What a call does whose signal is aborted. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new Error("call aborted"))));

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(() => undefined).catch((error: unknown) => error);
}

async function collect(messages: AsyncIterable<number>): Promise<number[]> {
  const all = [];
  for await (const message of messages) all.push(message);
  return all;
}

describe("a stream in which nothing moves", () => {
  it("is given up as a lost connection, whichever way it flows", async () => {
    const reading = createStallGuard(new AbortController().signal, 30);
    const read = async () => {
      async function* messages() {
        yield 1;
        await untilAborted(reading.signal);
      }
      for await (const message of reading.watch(messages())) expect(message).toBe(1);
    };
    const writing = createStallGuard(new AbortController().signal, 30);
    const write = writing.send((async function* () {})(), async (messages) => {
      for await (const message of messages) expect(message).toBeUndefined();
      await untilAborted(writing.signal);
    });
    const unheard = createStallGuard(new AbortController().signal, 30);
    const connect = unheard.send((async function* () {})(), () => untilAborted(unheard.signal));
    for (const error of await Promise.all([read(), write, connect].map(failureOf))) {
      expect(error).toMatchObject({ code: Code.Unavailable, rawMessage: "connection stalled" });
      expect(isTransient(error)).toBe(true);
    }
  });

  it("is not given up while its taker or its maker is busy", async () => {
    const guard = createStallGuard(new AbortController().signal, 30);
    async function* slowly() {
      for (const one of [1, 2]) {
        await sleep(100);
        yield one;
      }
    }
    expect(await guard.send(slowly(), collect)).toEqual([1, 2]);
    async function* atOnce() {
      yield* [1, 2];
    }
    for await (const message of guard.watch(atOnce())) await sleep(100 * message);
    expect(guard.signal.aborted).toBe(false);
  });

  it("is waited for as much longer as is allowed, also for the answer", async () => {
    const guard = createStallGuard(new AbortController().signal, 30);
    async function* messages() {
      guard.allow(10_000);
      yield 1;
    }
    const answer = guard.send(messages(), async (sent) => {
      for await (const message of sent) await sleep(100 * message);
      await sleep(100);
      return "answered";
    });
    expect(await answer).toBe("answered");
  });

  it("that is read no further lets its call go", async () => {
    const guard = createStallGuard(new AbortController().signal, 10_000);
    async function* messages() {
      yield* [1, 2];
    }
    for await (const message of guard.watch(messages())) if (message === 1) break;
    expect(guard.signal.aborted).toBe(true);
  });

  it("ends with the caller's own reason when the caller ends it", async () => {
    const caller = new AbortController();
    const guard = createStallGuard(caller.signal, 10_000);
    const sending = guard.send((async function* () {})(), () => untilAborted(guard.signal));
    caller.abort(new Error("enough"));
    expect(await failureOf(sending)).toMatchObject({ message: "call aborted" });
  });
});
