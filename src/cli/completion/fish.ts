import type { Completes, Option } from "../shell/command.js";
import type { Place } from "./places.js";

const servers = "(slipway server list --names 2>/dev/null)";

export function formatFish(places: readonly Place[]): string {
  return `# Completion of slipway for fish: slipway completion fish | source
function __slipway_at --description 'Whether the words so far lead to this place'
    set -l node ''
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$node $word"
${places.map(formatSteps).join("")}        end
    end
    test "$node" = "$argv[1]"
end

complete -c slipway -f
${places.map(formatPlace).join("")}`;
}

/** Where each word leads; options that take their value from the next word. */
function formatSteps({ path, words, options }: Place): string {
  const steps = words.map((word) => {
    const names = [word.name, ...word.aliases].map((name) => quote(`${path} ${name}`));
    return `            case ${names.join(" ")}\n                set node ${quote(word.path)}\n`;
  });
  const flags = options.filter(([, { type }]) => type === "string").map(([flag]) => quote(`${path} ${flag}`));
  const skip = flags.length === 0 ? "" : `            case ${flags.join(" ")}\n                set skip 1\n`;
  return `${steps.join("")}${skip}`;
}

function formatPlace({ path, words, options, operands }: Place): string {
  const here = `complete -c slipway -n ${quote(`__slipway_at ${quote(path)}`)}`;
  return [
    ...words.map(({ name, summary }) => `${here} -a ${quote(name)} -d ${quote(summary)}\n`),
    ...options
      .filter(([flag]) => flag.startsWith("--"))
      .map(([flag, option]) => `${here} -l ${flag.slice(2)}${formatOption(option)} -d ${quote(option.summary)}\n`),
    operands === undefined ? "" : `${here} ${formatKind(operands)}\n`,
  ].join("");
}

function formatOption({ type, short, choices, completes }: Option): string {
  const letter = short === undefined ? "" : ` -s ${short}`;
  if (type === "boolean") return letter;
  if (choices !== undefined) return `${letter} -x -a ${quote(choices.join(" "))}`;
  return completes === undefined ? `${letter} -x` : `${letter} -r ${formatKind(completes)}`;
}

function formatKind(kind: Completes): string {
  if (kind === "file") return "-F";
  return `-f -a ${quote(kind === "folder" ? "(__fish_complete_directories)" : servers)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
