import type { Place } from "./places.js";
import { formatTables } from "./posix.js";

export function formatZsh(places: readonly Place[]): string {
  return `#compdef slipway
# Completion of slipway for zsh: source <(slipway completion zsh), or put it into a folder of fpath as _slipway
${formatTables(places)}
_slipway_offer() {
  case "$1" in
    file) _files ;;
    folder) _files -/ ;;
    server) compadd -- \${(f)"$("$2" server list --names 2>/dev/null)"} ;;
    "="*) compadd -- \${(f)\${1#=}} ;;
    *) return 1 ;;
  esac
}

_slipway() {
  local REPLY node option ended
  local -a lines
  local begun=\${words[CURRENT]} program=\${words[1]}
  _slipway_walk "\${(@)words[2,CURRENT-1]}"

  if [[ -n $option ]]; then
    _slipway_value "$node" "$option"
    _slipway_offer "$REPLY" "$program"
  elif [[ -z $ended && $begun == --*=* ]]; then
    compset -P '*='
    _slipway_value "$node" "\${begun%%=*}" && _slipway_offer "$REPLY" "$program"
  elif [[ -z $ended && $begun == -* ]]; then
    _slipway_options "$node" || return 1
    lines=(\${(f)REPLY})
    _describe -o option lines
  elif _slipway_words "$node"; then
    lines=(\${(f)REPLY})
    _describe command lines
  elif _slipway_operand "$node"; then
    _slipway_offer "$REPLY" "$program"
  else
    return 1
  fi
}

# Loaded from fpath it is called at once; sourced it says what it is for.
if [[ \${funcstack[1]} == _slipway ]]; then
  _slipway "$@"
else
  compdef _slipway slipway
fi
`;
}
