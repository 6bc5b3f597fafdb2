import { CliError } from "./cli-error.js";
import type { Output } from "./command.js";

// Everything that could move the cursor or recolour the terminal; lines and tabs may stay.
const unprintable = /[^\P{Cc}\n\r\t]/u;

/** Looks at content on its way to a terminal, and fails before anything goes there that is no text. */
export function createTextGuard(out: Output, force: boolean): (data: Uint8Array) => void {
  if (out.isTTY !== true || force) return () => undefined;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (data: Uint8Array): string | undefined => {
    try {
      return decoder.decode(data, { stream: true });
    } catch {
      return undefined;
    }
  };
  return (data) => {
    const text = decode(data);
    if (text === undefined || unprintable.test(text)) throw notText();
  };
}

function notText(): CliError {
  return new CliError("the content is no plain text, which is not printed on a terminal: redirect it, or give --force");
}
