import type { CallOptions } from "@connectrpc/connect";
import type { Context } from "../shell/command.js";
import { formatSeconds } from "../shell/format.js";
import { type ClientOptions, callTimeoutMs, connectClient, type UploadClient } from "./client.js";
import { createRetry, type Retry } from "./retry.js";
import { describeError } from "./rpc-error.js";

/** What a command works with when it talks to a server. */
export interface Talk {
  readonly client: UploadClient;
  readonly retry: Retry;
  readonly signal: AbortSignal;
  /** A call that may be made again: repeated until it is answered, or until patience ends. */
  ask<T>(call: (options: CallOptions) => Promise<T>): Promise<T>;
  /** A call that would do its work twice: repeated only while no server was there to take it. */
  askOnce<T>(call: (options: CallOptions) => Promise<T>): Promise<T>;
}

/** Talks for as long as `run` takes; says on the terminal's side of `context` when it waits for the server. */
export async function withTalk<T>(
  target: ClientOptions & { readonly retryForMs: number },
  context: Context,
  signal: AbortSignal,
  run: (talk: Talk) => Promise<T>,
): Promise<T> {
  const client = connectClient(target);
  const retry = createRetry({
    retryForMs: target.retryForMs,
    signal,
    notify: (error: unknown, delayMs: number) =>
      context.err.write(`${describeError(error)}, retrying in ${formatSeconds(delayMs)}\n`),
  });
  const timed =
    <R>(call: (options: CallOptions) => Promise<R>) =>
    (stop: AbortSignal) =>
      call({ signal: stop, timeoutMs: callTimeoutMs });
  try {
    return await run({
      client,
      retry,
      signal,
      ask: (call) => retry.call(timed(call)),
      askOnce: (call) => retry.callOnce(timed(call)),
    });
  } finally {
    client.close();
  }
}
