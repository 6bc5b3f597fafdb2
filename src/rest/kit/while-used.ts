/** The same chunks, each of which counts as use of somebody's credentials: ends with what `use` throws. */
export async function* whileUsed(
  bytes: AsyncIterable<Uint8Array>,
  speaker: { use(): void },
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of bytes) {
    speaker.use();
    yield chunk;
  }
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
