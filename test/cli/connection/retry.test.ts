import { once } from "node:events";
import { constants, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { connectClient } from "../../../src/cli/connection/client.js";
import { createRetry } from "../../../src/cli/connection/retry.js";

const away = new ConnectError("away", Code.Unavailable);
const wrong = new ConnectError("wrong", Code.InvalidArgument);

/** A retry over a clock that only sleeping moves. */
function scene(retryForMs = 600_000, random = () => 1) {
  const delays: number[] = [];
  const controller = new AbortController();
  let now = 0;
  const retry = createRetry({
    retryForMs,
    signal: controller.signal,
    notify: (_, delayMs) => delays.push(delayMs),
    now: () => now,
    sleep: async (ms) => {
      now += ms;
    },
    random,
  });
  return { retry, delays, controller, pass: (ms: number) => (now += ms) };
}

describe("a retry", () => {
  it("waits longer each time, from 0.2 s up to 5 s", async () => {
    const { retry, delays } = scene();
    for (let i = 0; i < 7; i += 1) await retry.pause(away);
    expect(delays).toEqual([200, 400, 800, 1600, 3200, 5000, 5000]);
  });

  it("leaves half of the wait to chance", async () => {
    const { retry, delays } = scene(600_000, () => 0);
    await retry.pause(away);
    await retry.pause(away);
    expect(delays).toEqual([100, 200]);
  });

  it("begins anew after progress", async () => {
    const { retry, delays } = scene(1000);
    for (let i = 0; i < 20; i += 1) {
      await retry.pause(away);
      await retry.pause(away);
      retry.progressed();
    }
    expect(new Set(delays)).toEqual(new Set([200, 400]));
  });

  it("gives up when its time has passed without progress, and names the error", async () => {
    const { retry, delays } = scene(1000);
    const giveUp = async () => {
      for (;;) await retry.pause(away);
    };
    await expect(giveUp()).rejects.toThrow("gave up after 1.0 s without progress: unavailable: away");
    expect(delays).toEqual([200, 400, 400]);
  });

  it("counts the time from the first failure, not from the last success", async () => {
    const { retry, pass } = scene(1000);
    pass(10_000);
    await expect(retry.pause(away)).resolves.toBeUndefined();
  });

  it("throws a final error at once", async () => {
    const { retry, delays } = scene();
    await expect(retry.pause(wrong)).rejects.toBe(wrong);
    expect(delays).toEqual([]);
  });

  it("stops when the command is interrupted", async () => {
    const { retry, controller } = scene();
    controller.abort(new Error("interrupted"));
    await expect(retry.pause(away)).rejects.toThrow("interrupted");
  });

  it("repeats a call until it is answered", async () => {
    const { retry, delays } = scene();
    let calls = 0;
    const answer = await retry.call(async () => {
      calls += 1;
      if (calls < 4) throw away;
      return "done";
    });
    expect(answer).toBe("done");
    expect(delays).toHaveLength(3);
  });
});

describe("a call over HTTP/2 that must not be repeated", () => {
  /** Asks a server that does this with the first call, and answers the others; returns how many there were. */
  async function callOnce(first: (stream: ServerHttp2Stream) => void): Promise<number> {
    let calls = 0;
    const server = createServer().on("stream", (stream) => {
      calls += 1;
      stream.on("error", () => undefined).resume();
      if (calls === 1) return first(stream);
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.alloc(5));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = connectClient({ url, protocol: "grpc", authorization: undefined });
    try {
      await scene().retry.callOnce(() => client.catalog.createLibrary({ name: "once" }));
      return calls;
    } finally {
      client.close();
      server.close();
    }
  }

  it("is made again when it was refused unseen, as those are that meet a server which stops (REFUSED_STREAM)", async () => {
    expect(await callOnce((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM))).toBe(2);
  });

  it("is not made again when it was cut, for it may have been done", async () => {
    const cut = callOnce((stream) => stream.close(constants.NGHTTP2_CANCEL));
    await expect(cut).rejects.toThrow("it may have been done all the same");
    await expect(callOnce((stream) => stream.session?.destroy())).rejects.toThrow("it may have been done all the same");
  });
});
