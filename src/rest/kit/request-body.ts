import { untilAborted } from "../../core/index.js";
import type { UnreadRule } from "./dialect.js";
import { createTimeLimit } from "./time-limit.js";
import type { WireRequest } from "./wire.js";

/** A request's body, which a reader that stops early leaves where it is. */
export interface RequestBody {
  readonly bytes: AsyncIterable<Uint8Array>;
  /**
   * Reads on into nothing, as far as the rule goes; nothing at all where the rest is announced to be longer, or where a
   * client waits for somebody to ask for its body. Never throws: whatever happens, the answer is known.
   */
  drain(rule: Exclude<UnreadRule, "close">): Promise<void>;
  /** Nobody reads any more. */
  close(): void;
}

export function openRequestBody({
  body,
  headers,
  httpVersion,
  signal,
}: Pick<WireRequest, "body" | "headers" | "httpVersion" | "signal">): RequestBody {
  const source = body[Symbol.asyncIterator]();
  const { expect, "content-length": announced, "transfer-encoding": transfer } = headers;
  let begun = false;
  // A message of HTTP/1 that says nothing of a body has none.
  let ended = httpVersion !== "2" && announced === undefined && transfer === undefined;
  let readBytes = 0;
  const bytes: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      async next() {
        begun = true;
        try {
          const step = await source.next();
          if (step.done === true) ended = true;
          else readBytes += step.value.length;
          return step;
        } catch (error) {
          ended = true;
          throw error;
        }
      },
      return: async () => ({ done: true, value: undefined }),
    }),
  };
  return {
    bytes,
    async drain({ drainBytes, drainMs }) {
      const waits = !begun && expect?.toLowerCase() === "100-continue";
      if (ended || waits || Number(announced ?? 0) - readBytes > drainBytes) return;
      const limit = createTimeLimit(signal, drainMs, () => new Error("the rest of the body did not come in time"));
      let left = drainBytes;
      try {
        for await (const chunk of untilAborted(bytes, limit.signal)) {
          left -= chunk.length;
          if (left < 0) return;
        }
      } catch {
        // It was cut, or is too slow.
      } finally {
        limit.end();
      }
    },
    close() {
      if (begun && !ended) source.return?.().catch(() => undefined);
    },
  };
}
