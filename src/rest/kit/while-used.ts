/**
 * The same chunks, each of which counts as use of somebody's credentials: ends with what `use` throws. Whoever lets it go
 * lets go of the bytes, too, before the first chunk as well.
 */
export function whileUsed(bytes: AsyncIterable<Uint8Array>, speaker: { use(): void }): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const steps = bytes[Symbol.asyncIterator]();
      const end = async () => {
        await steps.return?.();
        return { done: true, value: undefined } as const;
      };
      return {
        async next() {
          const step = await steps.next();
          if (step.done === true) return step;
          try {
            speaker.use();
          } catch (error) {
            await end();
            throw error;
          }
          return step;
        },
        return: end,
      };
    },
  };
}

/** An answer whose bytes, if they come as a stream, end with the credentials of whoever gets them. */
export function answerWhileUsed<Answer extends { readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> }>(
  answer: Answer,
  speaker: { use(): void },
): Answer {
  const { body } = answer;
  const isStream = typeof body === "object" && Symbol.asyncIterator in body;
  return isStream ? { ...answer, body: whileUsed(body, speaker) } : answer;
}
