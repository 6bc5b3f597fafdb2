import type { Place } from "./places.js";
import { formatTables } from "./posix.js";

export function formatBash(places: readonly Place[]): string {
  return `# Completion of slipway for bash: source <(slipway completion bash)
${formatTables(places)}
_slipway_offer() {
  local kind=$1 begun=$2 line
  case $kind in
    file | folder)
      local flag=-f
      if [[ $kind == folder ]]; then flag=-d; fi
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$flag" -- "$begun")
      return ;;
    server) REPLY=$("$3" server list --names 2>/dev/null) ;;
    "="*) REPLY=\${kind#=} ;;
    *) return ;;
  esac
  _slipway_offer_lines "$begun"
}

_slipway_offer_lines() {
  local line
  while IFS= read -r line; do
    line=\${line%%$'\\t'*}
    if [[ -n $line && $line == "$1"* ]]; then COMPREPLY+=("$(printf %q "$line")"); fi
  done <<<"$REPLY"
}

_slipway() {
  local REPLY node option ended at word glue= begun before=
  local -a words=()
  COMPREPLY=()
  # Bash takes words apart at : and =, which belong to URLs, names and options.
  for ((at = 1; at <= COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    if [[ \${#words[@]} -gt 0 && -n $word && ($word == [:=]* || -n $glue) ]]; then
      words[\${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
    glue=
    if [[ $word == *[:=] ]]; then glue=1; fi
  done
  begun=\${words[\${#words[@]} - 1]}
  unset "words[\${#words[@]} - 1]"
  _slipway_walk \${words[@]+"\${words[@]}"}

  if [[ -n $option ]]; then
    _slipway_value "$node" "$option"
    _slipway_offer "$REPLY" "$begun" "$1"
  elif [[ -z $ended && $begun == --*=* ]]; then
    before=\${begun%%=*}=
    begun=\${begun#*=}
    _slipway_value "$node" "\${before%=}" && _slipway_offer "$REPLY" "$begun" "$1"
    if [[ $COMP_WORDBREAKS != *=* ]]; then COMPREPLY=("\${COMPREPLY[@]/#/$before}"); fi
  elif [[ -z $ended && $begun == -* ]]; then
    _slipway_options "$node" && REPLY=\${REPLY//:/$'\\t'} && _slipway_offer_lines "$begun"
  elif _slipway_words "$node"; then
    REPLY=\${REPLY//:/$'\\t'}
    _slipway_offer_lines "$begun"
  elif _slipway_operand "$node"; then
    _slipway_offer "$REPLY" "$begun" "$1"
  fi

  # Of a word with a colon bash replaces only what stands behind the last one.
  if [[ $begun == *:* && $COMP_WORDBREAKS == *:* ]]; then
    before=\${begun%"\${begun##*:}"}
    COMPREPLY=("\${COMPREPLY[@]#"$before"}")
  fi
}

complete -F _slipway slipway
`;
}
