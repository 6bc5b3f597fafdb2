// What bash and zsh have in common: tables of the commands as functions that answer in REPLY.
import type { Option } from "../shell/command.js";
import type { Place } from "./places.js";

/**
 * `_slipway_next PLACE WORD`: the place that a word leads to. `_slipway_words PLACE` and `_slipway_options PLACE`: lines
 * of `NAME:SUMMARY`. `_slipway_value PLACE OPTION` and `_slipway_operand PLACE`: a kind, or `=` and the choices. They fail
 * where there is nothing. `_slipway_walk WORD...`: where these words lead, in `node`, with the option that waits for its
 * value in `option` and whether options are over in `ended`.
 */
export function formatTables(places: readonly Place[]): string {
  const next = places.flatMap(({ path, words }) =>
    words.map((word) => [[word.name, ...word.aliases].map((name) => `${path} ${name}`), word.path] as const),
  );
  const values = places.flatMap(({ path, options }) =>
    options
      .filter(([, { type }]) => type === "string")
      .map(([flag, option]) => [[`${path} ${flag}`], kindOf(option)] as const),
  );
  return [
    formatTable("_slipway_next", '"$1 $2"', next),
    formatTable(
      "_slipway_words",
      '"$1"',
      places.map(({ path, words }) => [[path], words.map(({ name, summary }) => `${name}:${summary}`).join("\n")]),
    ),
    formatTable(
      "_slipway_options",
      '"$1"',
      places.map(({ path, options }) => [[path], longOnly(options)]),
    ),
    formatTable("_slipway_value", '"$1 $2"', values),
    formatTable(
      "_slipway_operand",
      '"$1"',
      places.map(({ path, operands }) => [[path], operands ?? ""]),
    ),
    walk,
  ].join("\n");
}

const walk = `_slipway_walk() {
  local word
  node= option= ended=
  for word in "$@"; do
    if [ -n "$option" ]; then option=
    elif [ -n "$ended" ]; then continue
    else
      case "$word" in
        --) ended=1 ;;
        --*=*) ;;
        -*) if _slipway_value "$node" "$word"; then option=$word; fi ;;
        *) if _slipway_next "$node" "$word"; then node=$REPLY; fi ;;
      esac
    fi
  done
}
`;

function longOnly(options: Place["options"]): string {
  return options
    .filter(([flag]) => flag.startsWith("--"))
    .map(([flag, { summary }]) => `${flag}:${summary}`)
    .join("\n");
}

function kindOf({ choices, completes }: Option): string {
  return choices === undefined ? (completes ?? "any") : `=${choices.join("\n")}`;
}

type Row = readonly [keys: readonly string[], answer: string];

/** Rows that answer nothing are left out. */
function formatTable(name: string, subject: string, rows: readonly Row[]): string {
  const lines = rows
    .filter(([, answer]) => answer !== "")
    .map(([keys, answer]) => `    ${keys.map(quote).join(" | ")}) REPLY=${quote(answer)} ;;\n`);
  return `${name}() {\n  case ${subject} in\n${lines.join("")}    *) REPLY=; return 1 ;;\n  esac\n}\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
