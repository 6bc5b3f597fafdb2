import type { Command, Operands, Option, Options } from "./command.js";

/** What fits a terminal that nobody has made wider. */
const lineLength = 80;

export const exitCodes = "Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted.";

/** The help of one command. Options that many commands share come under a heading of their own. */
export function formatHelp(spec: {
  readonly path: string;
  readonly description: string;
  readonly operands: Operands;
  readonly options: Options;
  readonly examples: readonly string[];
}): string {
  const { path, description, operands, options, examples } = spec;
  const own = Object.entries(options).filter(([, option]) => !isShared(option));
  const shared = Object.entries(options).filter(([, option]) => isShared(option));
  const usage = ["slipway", path, Object.keys(options).length > 0 ? "[OPTIONS]" : "", operands.shape];
  return [
    `Usage: ${usage.filter((word) => word !== "").join(" ")}`,
    fill(description),
    own.map(formatOption).join("\n"),
    `Examples:\n${examples.map((line) => `  ${line}`).join("\n")}`,
    shared.length === 0 ? "" : `Connection:\n${shared.map(formatOption).join("\n")}`,
    exitCodes,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

export function formatGroupHelp(spec: {
  readonly name: string;
  readonly description: string;
  readonly commands: readonly Command[];
}): string {
  const { name, description, commands } = spec;
  return `Usage: slipway ${name} COMMAND [ARGUMENTS]

${fill(description)}

${formatCommands(commands)}

Each has its own help: slipway ${name} ${commands[0]?.name} --help

${exitCodes}`;
}

export function formatCommands(commands: readonly Pick<Command, "name" | "summary">[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join("\n");
}

/** An option that is told with those of its kind, after the examples. */
export interface SharedOption extends Option {
  readonly shared: true;
}

function isShared(option: Option): boolean {
  return "shared" in option;
}

const indent = 23;

function formatOption([name, option]: readonly [string, Option]): string {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  const head = `  ${short}--${name}${option.type === "string" ? ` ${option.value ?? "VALUE"}` : ""}`;
  const lines = wrap(option.summary, lineLength - indent);
  // A head that reaches into its summary has a line of its own.
  const first = head.length + 2 > indent ? `${head}\n${" ".repeat(indent)}` : head.padEnd(indent);
  return `${first}${lines.join(`\n${" ".repeat(indent)}`)}`;
}

/** Paragraphs in lines of their full length; one that begins with a blank is left as it is. */
function fill(text: string): string {
  return text
    .split("\n\n")
    .map((paragraph) =>
      paragraph.startsWith(" ") ? paragraph : wrap(paragraph.replaceAll("\n", " "), lineLength).join("\n"),
    )
    .join("\n\n");
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
