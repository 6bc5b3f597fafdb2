export type Environment = Readonly<Record<string, string | undefined>>;

/** Somewhere to print to; the process's own streams are such. */
export interface Output {
  /** `done` is called once the bytes are on their way, so that a slow reader can be waited for. */
  write(data: string | Uint8Array, done?: (error?: Error | null) => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What is typed, or piped in. */
export interface Input extends AsyncIterable<Uint8Array> {
  readonly isTTY?: boolean;
  /** Of a terminal: off, what is typed is not shown. */
  setRawMode?(on: boolean): unknown;
}

/** What a command runs in. */
export interface Context {
  readonly env: Environment;
  readonly stdin: Input;
  /** Results, and nothing else. */
  readonly out: Output;
  /** Progress, notices, questions and errors. */
  readonly err: Output;
}

/** One option of a command, for parseArgs, for the help and for the shell. */
export interface Option {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  readonly default?: string | boolean;
  /** What its value is called in the help, such as `N`. */
  readonly value?: string;
  readonly summary: string;
  /** All that its value may be. */
  readonly choices?: readonly string[];
  /** What the shell offers for its value where there are no choices; nothing when it is left out. */
  readonly completes?: Completes;
}

/** Kinds of words that a shell can offer: `server` is the name of one that is stored. */
export type Completes = "file" | "folder" | "server";

export type Options = Readonly<Record<string, Option>>;

type Value<D extends Option> = D["type"] extends "boolean" ? boolean : string;
type GivenValue<D extends Option> = D extends { readonly multiple: true } ? readonly Value<D>[] : Value<D>;

/** The options as they were given: those without a default may be missing. */
export type Values<O extends Options> = {
  readonly [Name in keyof O]: O[Name] extends { readonly default: string | boolean }
    ? GivenValue<O[Name]>
    : GivenValue<O[Name]> | undefined;
};

/** What stands behind a command's name and is no option. */
export interface Operands {
  /** As the help shows it, such as `SESSION [FILE-NAME...]`. */
  readonly shape: string;
  readonly least: number;
  readonly most: number;
  readonly completes?: Completes;
}

/** One word after `slipway`, or after a word that groups commands. */
export interface Command {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  /** Usage, options and examples, as `--help` prints them. */
  readonly help: string;
  readonly options: Options;
  readonly operands: Operands;
  /** The commands that it groups; such a one does nothing by itself. */
  readonly subcommands: readonly Command[];
  /** Answers the exit code: 0 done, 1 failed, 2 wrong use, 130 interrupted (143 and 129: told to end, hung up). */
  run(words: readonly string[], context: Context): Promise<number>;
}

export const noOperands: Operands = { shape: "", least: 0, most: 0 };

export function findCommand(commands: readonly Command[], name: string | undefined): Command | undefined {
  return commands.find((command) => command.name === name || command.aliases.some((alias) => alias === name));
}
