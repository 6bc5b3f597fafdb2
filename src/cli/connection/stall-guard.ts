import { Code, ConnectError } from "@connectrpc/connect";

/** Gives up a stream in which nothing moves for too long, as one whose connection is lost. */
export interface StallGuard {
  /** For the call: aborted when the caller's is, and when the stream has stalled. */
  readonly signal: AbortSignal;
  /** Lets pauses from now on be so much longer: the other end has more to do than to take bytes. */
  allow(extraMs: number): void;
  /** The messages of an answer as they come. Time that their taker needs is not counted. */
  watch<T>(messages: AsyncIterable<T>): AsyncGenerator<T>;
  /** The answer to messages that `messages` makes. Time that making them needs is not counted. */
  send<T, A>(messages: AsyncIterable<T>, call: (messages: AsyncIterable<T>) => Promise<A>): Promise<A>;
}

export function createStallGuard(signal: AbortSignal, stalledMs: number): StallGuard {
  const stalled = new AbortController();
  let patienceMs = stalledMs;
  let timer: NodeJS.Timeout | undefined;
  const start = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(new Error("connection stalled")), patienceMs);
  };
  const explain = (error: unknown): unknown => {
    if (!stalled.signal.aborted || signal.aborted) return error;
    return new ConnectError("connection stalled", Code.Unavailable, undefined, undefined, error);
  };
  async function* timed<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
    clearTimeout(timer);
    for await (const message of messages) {
      start();
      yield message;
      clearTimeout(timer);
    }
    start();
  }
  return {
    signal: AbortSignal.any([signal, stalled.signal]),
    allow(extraMs) {
      patienceMs = stalledMs + extraMs;
    },
    async *watch(messages) {
      const iterator = messages[Symbol.asyncIterator]();
      let ended = false;
      try {
        for (;;) {
          start();
          const next = await iterator.next();
          clearTimeout(timer);
          ended = next.done === true;
          if (next.done === true) return;
          yield next.value;
        }
      } catch (error) {
        ended = true;
        throw explain(error);
      } finally {
        clearTimeout(timer);
        // Whoever reads no further lets the call go, too.
        if (!ended) stalled.abort(new Error("not read any further"));
      }
    },
    async send(messages, call) {
      try {
        start();
        return await call(timed(messages));
      } catch (error) {
        throw explain(error);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
