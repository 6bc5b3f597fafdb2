import { SourceError } from "../core/index.js";
import type { Answer } from "./exchange.js";

export interface BodyPlan {
  /** What this answer announced to bring; undefined where only its end tells. */
  readonly lengthBytes: number | undefined;
  /** Bytes at its beginning that were asked for only so that there is something to answer with. */
  readonly skipBytes: number;
  /** True where the whole content ends with this answer. */
  readonly isLast: boolean;
  readonly where: string;
  readonly stallMs: number;
  readonly stallBytes: number;
}

/**
 * The bytes of an answer. Throws `timed_out` when nothing, or less than `stallBytes`, comes in `stallMs` of waiting for
 * it, and `ended_early` when the connection ends before what was announced. Ends the connection however it ends itself.
 */
export async function* readBody(answer: Answer, plan: BodyPlan, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { body } = answer;
  const { where, stallMs, stallBytes } = plan;
  const chunks: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  const stalled = (what: string) => new SourceError("timed_out", `${where} sent ${what}; try again later`);
  let taken = 0;
  let window = { takenBefore: 0, waitedMs: 0 };
  try {
    for (;;) {
      signal.throwIfAborted();
      const askedAt = performance.now();
      const timer = setTimeout(() => body.destroy(stalled(`nothing for ${stallMs} ms`)), stallMs);
      const next = await chunks.next().finally(() => clearTimeout(timer));
      window.waitedMs += performance.now() - askedAt;
      if (next.done === true) break;
      const skip = Math.max(0, plan.skipBytes - taken);
      taken += next.value.length;
      if (next.value.length > skip) yield skip === 0 ? next.value : next.value.subarray(skip);
      if (window.waitedMs < stallMs) continue;
      if (taken - window.takenBefore < stallBytes) throw stalled(`less than ${stallBytes} bytes in ${stallMs} ms`);
      window = { takenBefore: taken, waitedMs: 0 };
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SourceError) throw error;
    throw endedEarly(plan, taken, error);
  } finally {
    answer.close();
  }
  signal.throwIfAborted();
  if (!body.complete || !plan.isLast || (plan.lengthBytes ?? taken) !== taken) throw endedEarly(plan, taken);
}

function endedEarly({ lengthBytes, where }: BodyPlan, taken: number, cause?: unknown): SourceError {
  const of = lengthBytes === undefined ? "" : ` of the ${lengthBytes} that it announced`;
  return new SourceError("ended_early", `${where} ended after ${taken} bytes${of}; try again later`, { cause });
}
