// Bodies of uploads as a client may send them: whole, in odd slices, broken, silent.

/** The same bytes for the same length and seed, without a pattern that could hide a shift (xorshift32). */
export function pseudoRandom(length: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state >>> 0;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** Cuts content into chunks of `chunkBytes`, or of the lengths of a list, again and again. */
export function* slices(content: Uint8Array, chunkBytes: number | readonly number[]): Generator<Uint8Array> {
  const lengths = typeof chunkBytes === "number" ? [chunkBytes] : chunkBytes;
  for (let at = 0, i = 0; at < content.length; i++) {
    const length = Math.max(1, lengths[i % lengths.length]!);
    yield content.subarray(at, at + length);
    at += length;
  }
}

export async function* bodyOf(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield* chunks;
}

/** A body of this content in chunks of 64 KiB. */
export function sendWhole(content: Uint8Array, chunkBytes: number | readonly number[] = 64 * 1024) {
  return bodyOf(slices(content, chunkBytes));
}

/** Gives the chunks, then breaks with `error`. */
export async function* brokenBody(
  chunks: Iterable<Uint8Array>,
  error: Error = new Error("connection reset"),
): AsyncGenerator<Uint8Array, void> {
  yield* chunks;
  throw error;
}

/** Gives the chunks, then never says another word: not an end, not an error, and it ignores that it is let go of. */
export function hangingBody(chunks: Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const iterator = chunks[Symbol.iterator]();
  const silence = new Promise<never>(() => undefined);
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const { done, value } = iterator.next();
        return done === true ? silence : { done: false, value };
      },
      return: () => silence,
    }),
  };
}

/** A body that another part of the test feeds, chunk by chunk. */
export function fedBody() {
  const queue: IteratorResult<Uint8Array>[] = [];
  let wake: (() => void) | undefined;
  const put = (result: IteratorResult<Uint8Array>) => {
    queue.push(result);
    wake?.();
  };
  async function* body(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const next = queue.shift()!;
      if (next.done === true) return;
      yield next.value;
    }
  }
  return {
    body: body(),
    send: (chunk: Uint8Array) => put({ done: false, value: chunk }),
    end: () => put({ done: true, value: undefined }),
  };
}

/** Counts what is pulled out of a body. */
export function countedBody(body: AsyncIterable<Uint8Array>) {
  const counted = {
    pulledBytes: 0,
    touched: false,
    body: {
      async *[Symbol.asyncIterator]() {
        counted.touched = true;
        for await (const chunk of body) {
          counted.pulledBytes += chunk.length;
          yield chunk;
        }
      },
    } as AsyncIterable<Uint8Array>,
  };
  return counted;
}

/** Everything that a body gives, in one piece. */
export async function readWhole(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}
