import { CliError, wrongUse } from "./cli-error.js";
import type { Context } from "./command.js";
import { formatForeign } from "./format.js";
import { findTerminal } from "./terminal.js";

/** Asks to type the name of what is to be destroyed. */
export type ConfirmName = (what: string, name: string) => Promise<void>;

/** Throws wrong use where there is nobody to ask and `--yes` has not said it, before anything else is done. */
export function createConfirmName(context: Context, signal: AbortSignal, yes: boolean): ConfirmName {
  if (yes) return async () => undefined;
  const terminal = findTerminal(context, signal);
  if (terminal === undefined) throw wrongUse("there is nobody to ask here: say --yes");
  return async (what, name) => {
    const typed = await terminal.askLine(
      `This deletes the ${what} ${formatForeign(name)}. Type its name to go ahead: `,
    );
    if (typed !== name) throw new CliError("that is not the name: nothing was deleted");
  };
}
