import { CliError, wrongUse } from "./cli-error.js";
import type { Context, Options } from "./command.js";
import { unlessAborted } from "./interrupt.js";

/** The option of every command that takes something away for good. */
export const yesOption = {
  yes: { type: "boolean", short: "y", default: false, summary: "do not ask; needed where there is no terminal" },
} as const satisfies Options;

const longestAnswerBytes = 1000;

/**
 * Asks a person before something is taken away; returns only after a yes. Where nobody can be asked, `--yes` has to have
 * said it.
 */
export async function confirm(context: Context, yes: boolean, question: string, signal: AbortSignal): Promise<void> {
  if (yes) return;
  if (context.stdin.isTTY !== true) throw wrongUse(`there is nobody to ask here: say --yes (${question})`);
  context.err.write(`${question} [y/N] `);
  const answer = await unlessAborted(readLine(context), signal);
  if (!/^\s*y(es)?\s*$/i.test(answer)) throw new CliError("nothing was done");
}

async function readLine({ stdin }: Context): Promise<string> {
  let text = "";
  for await (const bytes of stdin) {
    text += Buffer.from(bytes).toString("utf8");
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end);
    if (text.length > longestAnswerBytes) break;
  }
  return "";
}
