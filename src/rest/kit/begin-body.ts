/**
 * The body once its first bytes are at hand: what keeps them from coming is thrown here, where an answer can still say it.
 * Whoever does not read it on lets it go by aborting.
 */
export async function beginBody(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const steps = body[Symbol.asyncIterator]();
  const first = await steps.next();
  const letGo = () => void steps.return?.().catch(() => undefined);
  signal.addEventListener("abort", letGo, { once: true });
  if (signal.aborted) letGo();

  async function* goOn() {
    try {
      for (let step = first; step.done !== true; step = await steps.next()) yield step.value;
    } finally {
      signal.removeEventListener("abort", letGo);
      await steps.return?.();
    }
  }
  return goOn();
}
