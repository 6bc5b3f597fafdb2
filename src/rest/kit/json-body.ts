// Bodies that are JSON: read whole, so every size and wait of theirs has a bound.
import { type JsonValue, untilAborted } from "../../core/index.js";
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

export interface JsonLimits {
  /** The largest body. */
  readonly maxJsonBytes: NamedLimit;
  /** What bodies that are held at the same time may have together, and one more beside them (bytes). */
  readonly maxBufferedJsonBytes: number;
  /** Within this a body has to be here (ms). Default: whenever it comes. */
  readonly maxJsonMs?: NamedLimit;
}

/** The body of one request, as JSON; it is held, and counts, until it is closed. */
export interface JsonBody {
  /** `mostBytes` where this body may have fewer than others. */
  read(bytes: AsyncIterable<Uint8Array>, mostBytes?: number): Promise<JsonValue>;
  close(): void;
}

/** Of each body this counts nowhere: small ones, as a login's, wait for nobody. */
const freeBytes = 16 * 2 ** 10;
const maxDepth = 100;

export function createJsonReader(limits: JsonLimits): (request: WireRequest) => JsonBody {
  const { maxJsonBytes, maxJsonMs } = limits;
  const room = createSharedRoom(limits.maxBufferedJsonBytes);
  const tooLarge = (most: number) => {
    const limit = most < maxJsonBytes.value ? "here" : `(${maxJsonBytes.setting})`;
    return new HttpProblem(413, `JSON may have ${most} bytes at most ${limit}`);
  };
  const tooSlow = () =>
    new HttpProblem(408, `JSON has to be here within ${maxJsonMs?.value} ms (${maxJsonMs?.setting})`);

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
          return parseJson(await readText(bytes, most, limit?.signal ?? signal));
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

/** Members are the value's own, whatever they are called: `__proto__` is a name as any other. */
function parseJson(text: string): JsonValue {
  if (/^\s*$/.test(text)) throw new HttpProblem(400, "the body is empty where JSON is expected");
  // What is read here is walked through by functions that call themselves.
  if (isDeeper(text, maxDepth)) throw new HttpProblem(400, `the JSON is nested deeper than ${maxDepth} levels`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpProblem(400, `the body is not JSON: ${tidy((error as Error).message)}`);
  }
}

/** The parser's words may have a piece of the body in them. */
function tidy(message: string): string {
  return message.replaceAll(/[\s\p{C}]+/gu, " ").slice(0, 200);
}

function isDeeper(text: string, levels: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted) {
      if (char === "\\") at++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === "[" || char === "{") {
      if (++depth > levels) return true;
    } else if (char === "]" || char === "}") depth--;
  }
  return false;
}
