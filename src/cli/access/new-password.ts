import { CliError, wrongUse } from "../shell/cli-error.js";
import type { Context, Options } from "../shell/command.js";
import { findTerminal, readStdinLines } from "../shell/terminal.js";

/** The option of every command that takes a password, which never stands on a command line. */
export const passwordStdinOption = {
  "password-stdin": { type: "boolean", default: false, summary: "read the password from standard input, one line" },
} as const satisfies Options;

/** Answers the new password, and before it the present one where that is wanted, too. */
export type AskPasswords = (withPresent?: boolean) => Promise<{ readonly present: string; readonly fresh: string }>;

/**
 * Where passwords come from: a terminal, which shows nothing and has the new one typed twice, or lines of standard
 * input. Throws wrong use where there is neither, before anything else is done.
 */
export function createAskPasswords(context: Context, signal: AbortSignal, fromStdin: boolean): AskPasswords {
  if (fromStdin) {
    return async (withPresent = false) => {
      const what = [...(withPresent ? ["the present password"] : []), "the new password"];
      const lines = await readStdinLines(context, what, signal);
      return { present: withPresent ? (lines[0] ?? "") : "", fresh: lines.at(-1) ?? "" };
    };
  }
  const terminal = findTerminal(context, signal);
  if (terminal === undefined) throw wrongUse("there is no terminal to ask for the password on: give --password-stdin");
  return async (withPresent = false) => {
    const present = withPresent ? await terminal.askSecret("Present password: ") : "";
    const fresh = await terminal.askSecret("New password: ");
    if (fresh !== (await terminal.askSecret("The same once more: "))) {
      throw new CliError("the two are not the same: nothing was changed");
    }
    return { present, fresh };
  };
}
