// Bodies that are text (JSON, mostly): read whole, so every size and wait of theirs has a bound.
import { untilAborted } from "../../core/index.js";
import { refuseCodings } from "./announced-length.js";
import { parseHeaderNumber } from "./header-number.js";
import { HttpProblem } from "./problem.js";
import { createSharedRoom } from "./shared-room.js";
import { createTimeLimit } from "./time-limit.js";
import type { WireRequest } from "./wire.js";

/** A limit that an administrator can move, by the name of its setting. */
export interface NamedLimit {
  readonly setting: string;
  readonly value: number;
}

export interface TextLimits {
  /** The largest body. */
  readonly maxJsonBytes: NamedLimit;
  /** What bodies that are held at the same time may have together, and one more beside them (bytes). */
  readonly maxBufferedJsonBytes: number;
  /** Within this a body has to be here (ms). Default: whenever it comes. */
  readonly maxJsonMs?: NamedLimit;
}

/** The body of one request, as text; it is held, and counts, until it is closed. */
export interface TextBody {
  /** `mostBytes` where this body may have fewer than others. Empty for a request without a body. */
  read(bytes: AsyncIterable<Uint8Array>, mostBytes?: number): Promise<string>;
  close(): void;
}

/** Of each body this counts nowhere: small ones, as a login's, wait for nobody. */
const freeBytes = 16 * 2 ** 10;

export function createTextReader(limits: TextLimits): (request: WireRequest) => TextBody {
  const { maxJsonBytes, maxJsonMs } = limits;
  const room = createSharedRoom(limits.maxBufferedJsonBytes);
  const tooLarge = (most: number) => {
    const limit = most < maxJsonBytes.value ? "here" : `(${maxJsonBytes.setting})`;
    return new HttpProblem(413, `the body may have ${most} bytes at most ${limit}`);
  };
  const tooSlow = () =>
    new HttpProblem(408, `the body has to be here within ${maxJsonMs?.value} ms (${maxJsonMs?.setting})`);

  return ({ headers, signal }) => {
    const share = room.enter();
    async function readText(bytes: AsyncIterable<Uint8Array>, most: number, until: AbortSignal): Promise<string> {
      const decoder = new TextDecoder("utf-8", { fatal: true });
      let size = 0;
      let text = "";
      for await (const chunk of untilAborted(bytes, until)) {
        size += chunk.length;
        if (size > most) throw tooLarge(most);
        const counted = Math.min(chunk.length, size - freeBytes);
        if (counted > 0) await share.take(counted, until);
        text += decode(() => decoder.decode(chunk, { stream: true }));
      }
      return text + decode(() => decoder.decode());
    }
    return {
      async read(bytes, mostBytes = maxJsonBytes.value) {
        refuseCodings(headers);
        const most = Math.min(mostBytes, maxJsonBytes.value);
        const announced = headers["content-length"];
        if (announced !== undefined && parseHeaderNumber(announced, "Content-Length") > most) throw tooLarge(most);
        const limit = maxJsonMs && createTimeLimit(signal, maxJsonMs.value, tooSlow);
        try {
          return await readText(bytes, most, limit?.signal ?? signal);
        } finally {
          limit?.end();
        }
      },
      close: () => share.leave(),
    };
  };
}

function decode(run: () => string): string {
  try {
    return run();
  } catch {
    throw new HttpProblem(400, "the body is not in UTF-8");
  }
}
