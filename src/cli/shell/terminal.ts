// Questions to whoever sits at the terminal, and lines that scripts give instead.
import { CliError } from "./cli-error.js";
import type { Context } from "./command.js";
import { Interrupted, unlessAborted } from "./interrupt.js";
import { createSecretLine } from "./secret-line.js";

/** Whoever sits there. One for a whole command: what is typed ahead answers the next question. */
export interface Terminal {
  /** Answers what was typed, without blanks around it; may be empty. */
  askLine(question: string): Promise<string>;
  /** The same for what nobody shall see; blanks count. */
  askSecret(question: string): Promise<string>;
}

const bell = "\x07";
const lineFeed = 0x0a;
const longestLine = 65_536;

/** Undefined where nobody sits: answers must come from a terminal, and the questions must go to one. */
export function findTerminal(context: Context, signal: AbortSignal): Terminal | undefined {
  const { stdin, err } = context;
  const { setRawMode } = stdin;
  if (stdin.isTTY !== true || err.isTTY !== true || setRawMode === undefined) return undefined;
  const bytes = readBytes(stdin, signal);
  return {
    async askLine(question) {
      err.write(question);
      try {
        return decodeLine(await readLine(bytes), "what was typed").trim();
      } catch (error) {
        err.write("\n");
        throw error;
      }
    },
    async askSecret(question) {
      // Off before the question shows: from then on somebody types.
      setRawMode.call(stdin, true);
      err.write(question);
      try {
        const line = createSecretLine();
        for (;;) {
          const byte = await bytes.next();
          const taken = byte === undefined ? "ended" : line.take(byte);
          if (taken === "interrupted") throw new Interrupted("interrupted");
          if (taken === "ended") throw new CliError("nothing was typed");
          if (taken === "wrong") err.write(bell);
          if (taken === "done") break;
        }
        const text = line.text();
        if (text === undefined) throw new CliError("what was typed is not UTF-8");
        return text;
      } finally {
        setRawMode.call(stdin, false);
        err.write("\n");
      }
    },
  };
}

/** So many lines of standard input, for options such as `--password-stdin`; `what` names each in complaints. */
export async function readStdinLines(
  context: Context,
  what: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const bytes = readBytes(context.stdin, signal);
  const lines: string[] = [];
  for (const name of what) {
    const line = decodeLine(await readLine(bytes, `standard input does not hold ${name}`), name);
    if (line === "") throw new CliError(`standard input does not hold ${name}`);
    lines.push(line);
  }
  return lines;
}

interface Bytes {
  /** Undefined at the end. */
  next(): Promise<number | undefined>;
}

function readBytes(input: AsyncIterable<Uint8Array>, signal: AbortSignal): Bytes {
  // Never returned: that would close the input, which other questions may need.
  const chunks = input[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array();
  let at = 0;
  return {
    async next() {
      while (at >= chunk.length) {
        const { done, value } = await unlessAborted(chunks.next(), signal);
        if (done === true) return undefined;
        chunk = value;
        at = 0;
      }
      at += 1;
      return chunk[at - 1];
    },
  };
}

/** Up to the end of the line, or of the input where something stands before it. */
async function readLine(bytes: Bytes, none = "nothing was typed"): Promise<Uint8Array> {
  const line: number[] = [];
  for (;;) {
    const byte = await bytes.next();
    if (byte === lineFeed || (byte === undefined && line.length > 0)) return Uint8Array.from(line);
    if (byte === undefined) throw new CliError(none);
    if (line.length === longestLine) throw new CliError(`the line is longer than ${longestLine} bytes`);
    line.push(byte);
  }
}

function decodeLine(line: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line).replace(/\r$/, "");
  } catch {
    throw new CliError(`${what} is not UTF-8`);
  }
}
