// Commands are described once: how they are parsed, what their help says and what a shell offers all follow from it.
import { parseArgs } from "node:util";
import { wrongUse } from "./cli-error.js";
import type { Command, Context, Operands, Options, Values } from "./command.js";
import { noOperands } from "./command.js";
import { formatGroupHelp, formatHelp } from "./help.js";

export interface CommandSpec<O extends Options> {
  /** With the words before it: `session list`. */
  readonly path: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** A paragraph or two for the help; where their lines break is not kept. */
  readonly description: string;
  readonly operands?: Operands;
  readonly options: O;
  /** Whole command lines. */
  readonly examples: readonly string[];
  /** Nothing stands for 0. */
  run(given: Given<O>, context: Context): Promise<number | undefined>;
}

/** What a command line said. */
export interface Given<O extends Options> {
  readonly values: Values<O>;
  readonly operands: readonly string[];
}

export function defineCommand<const O extends Options>(spec: CommandSpec<O>): Command {
  const operands = spec.operands ?? noOperands;
  return {
    name: spec.path.slice(spec.path.lastIndexOf(" ") + 1),
    aliases: spec.aliases ?? [],
    summary: spec.summary,
    help: formatHelp({ ...spec, operands }),
    options: spec.options,
    operands,
    subcommands: [],
    async run(words, context) {
      const parsed = parseArgs({ args: [...words], allowPositionals: true, options: spec.options });
      assertOperands(parsed.positionals, operands);
      // Of options that it knows by their type only, the compiler cannot tell what parseArgs makes of them.
      const values = parsed.values as unknown as Values<O>;
      assertChoices(values, spec.options);
      return (await spec.run({ values, operands: parsed.positionals }, context)) ?? 0;
    },
  };
}

/** A word that stands before others: `session` before `list`. */
export function defineGroup(spec: {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly commands: readonly Command[];
}): Command {
  const { name, summary, commands } = spec;
  return {
    name,
    aliases: [],
    summary,
    help: formatGroupHelp(spec),
    options: {},
    operands: noOperands,
    subcommands: commands,
    run: () => Promise.reject(wrongUse(`say what to do: ${commands.map((command) => command.name).join(", ")}`)),
  };
}

function assertOperands(given: readonly string[], operands: Operands): void {
  if (given.length < operands.least) throw wrongUse(`this needs ${operands.shape}`);
  if (given.length <= operands.most) return;
  const takes = operands.most === 0 ? "nothing else" : operands.shape;
  throw wrongUse(`${JSON.stringify(given[operands.most])} is too much: this takes ${takes}`);
}

function assertChoices(values: Readonly<Record<string, unknown>>, options: Options): void {
  for (const [name, { choices }] of Object.entries(options)) {
    if (choices === undefined) continue;
    for (const value of [values[name]].flat()) {
      if (value === undefined || choices.includes(String(value))) continue;
      throw wrongUse(`--${name} is ${formatAlternatives(choices)}, not ${JSON.stringify(value)}`);
    }
  }
}

/** `a`, `a or b`, `a, b or c`. */
function formatAlternatives(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
