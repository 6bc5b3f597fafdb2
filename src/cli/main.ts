import { CliError, isParseArgsError, systemCodeOf } from "./cli-error.js";
import type { Command, Context } from "./command.js";
import { download } from "./download.js";
import { ls } from "./ls.js";
import { describeError } from "./rpc-error.js";
import { serve } from "./serve.js";
import { readEnvironment } from "./settings.js";
import { upload } from "./upload.js";
import { version } from "./version.js";

const commands: readonly Command[] = [serve, upload, download, ls, version];

/**
 * Runs one command line, without the program's name, and answers the exit code: 0 done, 1 failed, 2 wrong use, 130
 * interrupted.
 */
export async function runCommandLine(words: readonly string[], context: Context): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined) {
    context.err.write(`${overview()}\n`);
    return 2;
  }
  if (name === "help" || name === "--help" || name === "-h") return printHelp(rest[0], context);
  const command = commands.find((candidate) => candidate.name === (isVersionFlag(name) ? "version" : name));
  if (command === undefined) return complain(context, `there is no command ${JSON.stringify(name)}`, "slipway help");
  const options = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
  if (options.includes("--help") || options.includes("-h")) return printHelp(name, context);
  try {
    return await command.run(rest, context);
  } catch (error) {
    if (isParseArgsError(error)) return complain(context, error.message, `slipway ${name} --help`);
    if (error instanceof CliError && error.exitCode === 2)
      return complain(context, error.message, `slipway ${name} --help`);
    context.err.write(`slipway ${name}: ${describeError(error)}\n`);
    return error instanceof CliError ? error.exitCode : 1;
  }
}

/** The same for the process itself. */
export async function runAsProcess(): Promise<void> {
  // A reader that has seen enough (`| head`) is no failure of ours.
  process.stdout.on("error", (error) => process.exit(systemCodeOf(error) === "EPIPE" ? 0 : 1));
  const context = { env: readEnvironment(), stdin: process.stdin, out: process.stdout, err: process.stderr };
  const exitCode = await runCommandLine(process.argv.slice(2), context);
  process.stdout.write("", () => process.exit(exitCode));
}

function isVersionFlag(word: string): boolean {
  return word === "--version" || word === "-V";
}

function printHelp(name: string | undefined, context: Context): number {
  const command = commands.find((candidate) => candidate.name === name);
  if (name !== undefined && command === undefined) {
    return complain(context, `there is no command ${JSON.stringify(name)}`, "slipway help");
  }
  context.out.write(`${command?.help ?? overview()}\n`);
  return 0;
}

function complain(context: Context, message: string, see: string): number {
  context.err.write(`slipway: ${message}\nSee: ${see}\n`);
  return 2;
}

function overview(): string {
  const rows = [...commands, { name: "help", summary: "print this, or the help of a command" }];
  return `Usage: slipway COMMAND [ARGUMENTS]

${rows.map((command) => `  ${command.name.padEnd(10)} ${command.summary}`).join("\n")}

Examples:
  slipway serve
  slipway upload holiday.mov photos/
  slipway ls
  slipway download SESSION --output restored
  slipway help upload

Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted.`;
}
