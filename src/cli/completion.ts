import { formatBash } from "./completion/bash.js";
import { formatFish } from "./completion/fish.js";
import { placesOf } from "./completion/places.js";
import { formatZsh } from "./completion/zsh.js";
import { wrongUse } from "./shell/cli-error.js";
import type { Command } from "./shell/command.js";
import { defineCommand } from "./shell/define-command.js";

const formats = { bash: formatBash, zsh: formatZsh, fish: formatFish } as const;

/** Prints scripts that know all of these commands, which are asked for when it runs: it is one of them itself. */
export function createCompletion(commands: () => readonly Command[]): Command {
  return defineCommand({
    path: "completion",
    summary: "print a script that completes commands in your shell",
    description: `Prints a script by which your shell completes commands, options and their values, files, and the names of
servers. To have it in every shell, add the first line to ~/.bashrc, or the second to ~/.zshrc behind
compinit; the third is run once.`,
    operands: { shape: "bash|zsh|fish", least: 1, most: 1 },
    options: {},
    examples: [
      "source <(slipway completion bash)",
      "source <(slipway completion zsh)",
      "slipway completion fish > ~/.config/fish/completions/slipway.fish",
    ],
    async run({ operands: [shell = ""] }, context) {
      if (!isShell(shell)) throw wrongUse(`completion is for bash, zsh or fish, not ${JSON.stringify(shell)}`);
      context.out.write(formats[shell](placesOf(commands())));
      return 0;
    },
  });
}

function isShell(word: string): word is keyof typeof formats {
  return Object.hasOwn(formats, word);
}
