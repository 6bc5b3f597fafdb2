#!/usr/bin/env bash
# The curl lines of FOLIO's document of this API, in its order, each answer below a line that names its call.
#
#   FOLIO_PASSWORD=... conversation.sh URL     with a token from the login of diku_admin
#   conversation.sh URL TOKEN                  behind Okapi, where logins are for another module and left out
#
# What the document prints and does not ask for, the state after a file was deleted, is asked for here.
set -euo pipefail

url=$1
token=${2-}
behind_okapi=${2+yes}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# Of more than a MiB, so that curl waits for `100 Continue`; `-d` sends files without the ends of their lines.
for name in marc marc2; do
  printf '00026nam a2200025 i 4500 %s\r\n' "$name" >"$name.mrc"
  head -c 1500000 /dev/zero | tr '\0' 'm' >>"$name.mrc"
  printf '\036\035\n' >>"$name.mrc"
done

# Prints an answer below its title, and keeps it.
show() {
  answer=$2
  printf '== %s\n%s\n' "$1" "$answer"
}

# The n-th id of the last answer: the definition's, then those of its files.
id() {
  sed -n 's/^ *"id" : "\(.*\)",$/\1/p' <<<"$answer" | sed -n "$1p"
}

log_in() {
  show "$1" "$(
    curl -sS -w '\n' -X POST -D - \
      -H "Content-type: application/json" \
      -H "x-okapi-tenant: diku" \
      -d "{\"username\":\"diku_admin\",\"password\":\"$FOLIO_PASSWORD\"}" \
      "$url/bl-users/login"
  )"
  token=$(sed -n 's/^x-okapi-token: \([^[:cntrl:]]*\).*/\1/p' <<<"$answer")
}

[[ $behind_okapi ]] || log_in "log in"

cat >uploadDefinitionRequest.json <<'END'
{
  "fileDefinitions":[
    {
      "name":"marc.mrc"
    },
    {
      "name":"marc2.mrc"
    }
  ]
}
END
show "create a definition of two files" "$(
  curl -sS -w '\n' -X POST -D - \
    -H "Content-type: application/json" \
    -H "x-okapi-tenant: diku" \
    -H "x-okapi-token: $token" \
    -d @uploadDefinitionRequest.json \
    "$url/data-import/uploadDefinitions"
)"
definition=$(id 1) marc=$(id 2) marc2=$(id 3)

show "upload the first file" "$(
  curl -sS -w '\n' -X POST -D - \
    -H "Content-type: application/octet-stream" \
    -H "x-okapi-tenant: diku" \
    -H "x-okapi-token: $token" \
    -d @marc.mrc \
    "$url/data-import/uploadDefinitions/$definition/files/$marc"
)"

show "upload the second file" "$(
  curl -sS -w '\n' -X POST -D - \
    -H "Content-type: application/octet-stream" \
    -H "x-okapi-tenant: diku" \
    -H "x-okapi-token: $token" \
    -d @marc2.mrc \
    "$url/data-import/uploadDefinitions/$definition/files/$marc2"
)"

show "delete the second file" "$(
  curl -sS -X DELETE -D - -w '\n' \
    -H "x-okapi-tenant: diku" \
    -H "x-okapi-token: $token" \
    "$url/data-import/uploadDefinitions/$definition/files/$marc2"
)"

show "read the definition" "$(
  curl -sS -w '\n' -D - \
    -H "x-okapi-tenant: diku" \
    -H "x-okapi-token: $token" \
    "$url/data-import/uploadDefinitions/$definition"
)"

cat >fileDefinition.json <<END
{
  "name":"marc3.mrc",
  "uploadDefinitionId":"$definition"
}
END
show "add a third file" "$(
  curl -sS -w '\n' -X POST -D - \
    -H "Content-type: application/json" \
    -H "x-okapi-tenant: diku" \
    -H "x-okapi-token: $token" \
    -d @fileDefinition.json \
    "$url/data-import/uploadDefinitions/$definition/files"
)"

[[ $behind_okapi ]] || log_in "log in again"

cat >uploadDefinitionRequest.json <<'END'
{
  "fileDefinitions":[
    {
      "name":"marc.mrc"
    }
  ]
}
END
show "create a definition of one file" "$(
  curl -sS -w '\n' -X POST -D - \
    -H "Content-type: application/json" \
    -H "x-okapi-tenant: diku" \
    -H "x-okapi-token: $token" \
    -d @uploadDefinitionRequest.json \
    "$url/data-import/uploadDefinitions"
)"
definition=$(id 1) marc=$(id 2)

show "upload its file" "$(
  curl -sS -w '\n' -X POST -D - \
    -H "Content-type: application/octet-stream" \
    -H "x-okapi-tenant: diku" \
    -H "x-okapi-token: $token" \
    -d @marc.mrc \
    "$url/data-import/uploadDefinitions/$definition/files/$marc"
)"
