import type { Command, Completes, Option } from "../shell/command.js";

/** Where a command line can stand, and what may come next there. */
export interface Place {
  /** The commands so far, by their full names: `user create`; empty at the start. */
  readonly path: string;
  readonly words: readonly Word[];
  readonly options: readonly (readonly [flag: string, option: Option])[];
  readonly operands: Completes | undefined;
}

export interface Word {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  /** Where it leads. */
  readonly path: string;
}

const help: Option = { type: "boolean", summary: "print the help of this command" };
const helpWord = { name: "help", aliases: [], summary: "print the help of a command", path: "help" };

/** All places of a tree of commands, from its root on. */
export function placesOf(commands: readonly Command[]): readonly Place[] {
  const words = wordsOf(commands, "");
  const root = { path: "", words: [...words, helpWord], options: [], operands: undefined };
  const helped = [{ ...root, path: "help", words: wordsOf(commands, "help") }, ...placesBelow(commands, "help")];
  // The help of a command takes the words that lead to it, and nothing else.
  return [
    root,
    ...placesBelow(commands, ""),
    ...helped.map((place) => ({ ...place, options: [], operands: undefined })),
  ];
}

function placesBelow(commands: readonly Command[], above: string): readonly Place[] {
  return commands.flatMap((command) => {
    const path = `${above} ${command.name}`.trim();
    const options = Object.entries({ ...command.options, help }).flatMap(([name, option]) => [
      [`--${name}`, option] as const,
      ...(option.short === undefined ? [] : [[`-${option.short}`, option] as const]),
    ]);
    const { subcommands, operands } = command;
    const place = { path, words: wordsOf(subcommands, path), options, operands: operands.completes };
    return [place, ...placesBelow(subcommands, path)];
  });
}

function wordsOf(commands: readonly Command[], above: string): readonly Word[] {
  return commands.map(({ name, aliases, summary }) => ({ name, aliases, summary, path: `${above} ${name}`.trim() }));
}
