#!/usr/bin/env bash
# The direction between rooms. harness/CMakeLists.txt lists them in order (the one home of it), and:
#   - a file of harness/ROOM includes its own room and those listed before it, and nothing outside harness/;
#   - suites/support includes harness/base, harness/protocol and itself;
#   - suites/NAME includes what suites/support may, suites/support and itself;
#   - the table of rooms in CONTRIBUTING.md has exactly these rooms in this order.
# Unit tests, fuzzers and testing/ keep to it as everything else does. bench/ and fixtures/ stand outside of the rooms.
#
#   ci/rooms.test.sh [FOLDER]
set -euo pipefail
root=${1:-$(cd "$(dirname "$0")/.." && pwd)}

# rooms FOLDER: as CMake adds them, one a line
rooms() { sed -n '/^foreach(room /,/)/p' "$1/harness/CMakeLists.txt" | tr -s ' ()\n' '\n' | sed '1,/^room$/d'; }

# table FOLDER: the first column of CONTRIBUTING.md's table "room | what it is", one a line
table() {
  sed -n '/^| *room *| *what it is *|/,/^$/p' "$1/CONTRIBUTING.md" | sed -n '3,$s/^| *`\([^`]*\)` *|.*/\1/p'
}

# breaches FOLDER: FILE:LINE: what is wrong with an include there
breaches() {
  local sources
  mapfile -t sources < <(cd "$1" && find harness suites \( -name '*.cc' -o -name '*.h' -o -name '*.in' \) | sort)
  (cd "$1" && awk -v list="$(rooms "$1" | tr '\n' ' ')" '
    BEGIN { count = split(list, room, " "); for (i = 1; i <= count; ++i) rank["harness/" room[i]] = i }
    # The room of a path: a listed folder or its nearest parent that is listed; for suites the first two names.
    function room_of(path,    at) {
      if (path ~ /^suites\//) { split(path, at, "/"); return at[1] "/" at[2] }
      while (!(path in rank) && sub(/\/[^\/]*$/, "", path)) {}
      return path in rank ? path : ""
    }
    function wrong(text) { print FILENAME ":" FNR ": " text }
    FNR == 1 { from = room_of(FILENAME); if (from == "") wrong("a file in no room of harness/CMakeLists.txt") }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
      path = $0; sub(/^[^"]*"/, "", path); sub(/".*/, "", path)
      to = room_of(path)
      if (path !~ /^(harness|suites)\/.*\//) wrong("\"" path "\" is no path from the root, such as harness/ROOM/FILE")
      else if (to == "") wrong("\"" path "\" is in no room of harness/CMakeLists.txt")
      else if (to == from) next
      else if (from ~ /^harness\// && to ~ /^suites\//) wrong(from " includes the suites: \"" path "\"")
      else if (from ~ /^harness\// && rank[to] > rank[from]) wrong(from " includes " to ", a later room: \"" path "\"")
      else if (from ~ /^suites\// && to != "harness/base" && to != "harness/protocol" && to != "suites/support")
        wrong(from " includes " to ", which it may not: \"" path "\"")
      else if (from == "suites/support" && to ~ /^suites\//) wrong(from " includes a suite: \"" path "\"")
    }' "${sources[@]}")
}

failures=0
fail() {
  echo "$*" >&2
  failures=$((failures + 1))
}

# The rules themselves, before they are trusted: rooms base, protocol, report, report/html and two suites.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/harness/{base/testing,protocol,report/html,stray} "$work"/suites/{support/trust,mount,mldsa}
printf 'foreach(room base protocol\n        report report/html)\n' >"$work/harness/CMakeLists.txt"
# shellcheck disable=SC2016
printf '%s\n' '| room | what it is |' '| --- | --- |' '| `base` | x |' '| `report/html` | y |' '' '| `late` | z |' \
  >"$work/CONTRIBUTING.md"
[[ $(rooms "$work" | xargs) == "base protocol report report/html" ]] || fail "the rooms are read as: $(rooms "$work" | xargs)"
[[ $(table "$work" | xargs) == "base report/html" ]] || fail "the table is read as: $(table "$work" | xargs)"
# includes FILE PATH EXPECTED: a file with that include in its second line; EXPECTED is a part of the answer or empty
includes() {
  local said
  printf '// a file\n#include "%s"\n' "$2" >"$work/$1"
  said=$(breaches "$work")
  rm "$work/$1"
  if [[ -z $3 ]]; then
    [[ -z $said ]] || fail "$1 may include $2, and is told: $said"
  else
    [[ $said == "$1:"*"$3"* ]] || fail "$1 may not include $2, and is told: ${said:-nothing}"
  fi
}
includes harness/report/a.cc harness/base/x.h ""
includes harness/report/a.cc harness/report/x.h ""
includes harness/report/html/a.h harness/report/x.h ""
includes harness/base/a.cc harness/base/testing/x.h ""
includes harness/base/a.cc harness/protocol/x.h "2: harness/base includes harness/protocol, a later room"
includes harness/base/testing/a_test.cc harness/report/x.h "2: harness/base includes harness/report, a later room"
includes harness/report/a.cc harness/report/html/x.h "2: harness/report includes harness/report/html, a later room"
includes harness/report/a.cc suites/mount/x.h "includes the suites"
includes harness/report/a.cc harness/stray/x.h "in no room"
includes harness/report/a.cc x.h "no path from the root"
includes harness/report/a.cc ../base/x.h "no path from the root"
includes harness/stray/a.cc harness/base/x.h "a file in no room"
includes suites/support/trust/a.cc suites/support/x.h ""
includes suites/support/a.cc harness/protocol/x.h ""
includes suites/support/a.cc harness/report/x.h "suites/support includes harness/report, which it may not"
includes suites/support/a.cc suites/mount/x.h "2: suites/support includes "
includes suites/mount/a.cc suites/support/trust/x.h ""
includes suites/mount/a.cc harness/base/x.h ""
includes suites/mount/a.cc suites/mldsa/x.h "suites/mount includes suites/mldsa, which it may not"
includes suites/mount/a.cc harness/report/x.h "suites/mount includes harness/report, which it may not"

((failures == 0)) || exit 1
while IFS= read -r breach; do fail "$breach"; done < <(breaches "$root")
listed=$(rooms "$root")
[[ $(wc -l <<<"$listed") -ge 10 ]] || fail "only these rooms were read from harness/CMakeLists.txt: $listed"
if ! difference=$(diff <(echo "$listed") <(table "$root")); then
  fail "the rooms of harness/CMakeLists.txt (<) and of CONTRIBUTING.md's table (>) differ:"$'\n'"$difference"
fi
((failures == 0)) || exit 1
echo "$(wc -l <<<"$listed") rooms, each uses only what stands before it"
