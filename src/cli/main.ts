import { commands } from "./commands.js";
import { describeError } from "./connection/rpc-error.js";
import { readEnvironment } from "./connection/settings.js";
import { CliError, isParseArgsError, systemCodeOf } from "./shell/cli-error.js";
import { type Command, type Context, findCommand } from "./shell/command.js";
import { exitCodes, formatCommands } from "./shell/help.js";
import { hungUpExitCode, Interrupted } from "./shell/interrupt.js";

/**
 * Runs one command line, without the program's name, and answers the exit code: 0 done, 1 failed, 2 wrong use, 130
 * interrupted (143 and 129: told to end, hung up).
 */
export async function runCommandLine(words: readonly string[], context: Context): Promise<number> {
  const [first, ...others] = words;
  if (first === undefined) {
    context.err.write(`${overview()}\n`);
    return 2;
  }
  if (first === "help" || first === "--help" || first === "-h") return printHelp(others, context);
  const found = resolve([isVersionFlag(first) ? "version" : first, ...others]);
  if (found.command === undefined) return complainOfWord(found, context);
  const { command, path, rest } = found;
  const options = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
  if (options.includes("--help") || options.includes("-h")) return print(command.help, context);
  // A word that only groups others: what follows it is no command of it.
  if (command.subcommands.length > 0 && rest[0] !== undefined && !rest[0].startsWith("-")) {
    return complain(context, `${path} has no command ${JSON.stringify(rest[0])}`, `slipway ${path} --help`);
  }
  return await run(command, path, rest, context);
}

async function run(command: Command, path: string, rest: readonly string[], context: Context): Promise<number> {
  try {
    return await command.run(rest, context);
  } catch (error) {
    const wrongUse = isParseArgsError(error) || (error instanceof CliError && error.exitCode === 2);
    if (wrongUse) return complain(context, firstSentence(error), `slipway ${path} --help`);
    if (error instanceof Interrupted) {
      context.err.write("Interrupted.\n");
      return error.exitCode;
    }
    context.err.write(`slipway ${path}: ${describeError(error)}\n`);
    return error instanceof CliError ? error.exitCode : 1;
  }
}

/** The same for the process itself. */
export async function runAsProcess(): Promise<void> {
  let exitCode: number | undefined;
  const onLostOutput = (error: Error) => {
    // A reader that has seen enough (`| head`) is no failure of ours; a full disk is one, whatever was done before.
    if (systemCodeOf(error) === "EPIPE") process.exit(exitCode ?? 0);
    process.stderr.write(`slipway: standard output takes nothing more: ${error.message}\n`);
    process.exit(exitCode || 1);
  };
  process.stdout.on("error", onLostOutput);
  // Of a terminal that is gone there is nobody left to tell.
  process.stderr.on("error", () => undefined);
  const context = { env: readEnvironment(), stdin: process.stdin, out: process.stdout, err: process.stderr };
  exitCode = await runCommandLine(process.argv.slice(2), context);
  // A terminal that hung up cannot be put back as it was, which Node's own exit insists on.
  if (exitCode === hungUpExitCode) process.kill(process.pid, "SIGHUP");
  process.stdout.write("", (error) => (error ? onLostOutput(error) : process.exit(exitCode)));
}

interface Resolved {
  /** Undefined when the first word is none. */
  readonly command: Command | undefined;
  /** The words that lead to it, by their full names. */
  readonly path: string;
  readonly rest: readonly string[];
}

/** Goes down from word to word as far as they name commands. */
function resolve(words: readonly string[]): Resolved {
  let found: Resolved = { command: undefined, path: "", rest: words };
  for (let among = commands; ; ) {
    const command = findCommand(among, found.rest[0]);
    if (command === undefined) return found;
    found = { command, path: `${found.path} ${command.name}`.trim(), rest: found.rest.slice(1) };
    among = command.subcommands;
  }
}

function printHelp(words: readonly string[], context: Context): number {
  if (words.length === 0) return print(overview(), context);
  const found = resolve(words);
  if (found.command === undefined || found.rest.length > 0) return complainOfWord(found, context);
  return print(found.command.help, context);
}

function print(text: string, context: Context): number {
  context.out.write(`${text}\n`);
  return 0;
}

function complainOfWord({ path, rest }: Resolved, context: Context): number {
  return complain(context, `there is no command ${JSON.stringify(`${path} ${rest[0]}`.trim())}`, "slipway help");
}

function complain(context: Context, message: string, see: string): number {
  context.err.write(`slipway: ${message}\nSee: ${see}\n`);
  return 2;
}

/** parseArgs goes on to explain itself. */
function firstSentence(error: unknown): string {
  const { message } = error as Error;
  return isParseArgsError(error) ? (message.split(/\.\s/)[0] ?? message) : message;
}

function isVersionFlag(word: string): boolean {
  return word === "--version" || word === "-V";
}

function overview(): string {
  const rows = [...commands, { name: "help", summary: "print this, or the help of a command" }];
  return `Usage: slipway COMMAND [ARGUMENTS]

${formatCommands(rows)}

Examples:
  slipway serve
  slipway login https://uploads.example.org
  slipway upload holiday.mov photos/
  slipway ls
  slipway download SESSION --output restored
  slipway help upload

${exitCodes}`;
}
