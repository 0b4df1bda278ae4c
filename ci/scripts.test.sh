#!/usr/bin/env bash
# Every shell script of the tree parses, and none pipes into a program that leaves before it has read everything:
# the writer may die of SIGPIPE then, which pipefail makes the status of the pipe. `grep -q x <<<"$(writer)"` and
# `writer | sed -n 1p` read everything. Whether the writer is fast enough today is chance, so all such pipes count.
#
#   ci/scripts.test.sh [FOLDER]
set -euo pipefail
root=${1:-$(cd "$(dirname "$0")/.." && pwd)}
failures=0
fail() {
  echo "$*" >&2
  failures=$((failures + 1))
}

leavers=(
  '[efz]?grep( +-[^ |]+)* +(-[A-Za-z]*[qmlL]|--(quiet|silent|max-count|files-with))'
  'head( |$)'
  'sed( +-[^ |]+)* +[^|]*[0-9$/;{ ][qQ]( |;|}|'\''|"|$)'
  'm?awk [^|]*exit'
  'read( |$)'
  'true( |;|\)|$)'
  ':( |;|\)|$)'
)
joined=$(IFS='|' && echo "${leavers[*]}")
# A lone |, then what may stand before a command's name, then the name.
early_leaver="(^|[^|])\\|&? *(command +|env +|LC_ALL=[^ ]+ +)*($joined)"

# Standard input: a script. Standard output: its lines with a pipe into a program that leaves early. Lines that
# end in a pipe or a backslash are one with the next; comments are left out.
early_pipes() {
  awk '
    /^[ \t]*#/ { next }
    { gsub(/\t/, " "); line = line $0 }
    /\\$/ { sub(/\\$/, "", line); next }
    /\|&? *$/ { line = line " "; next }
    { print line; line = "" }
    END { if (line != "") print line }
  ' | grep -E -- "$early_leaver" || true
}

# The rule itself, before it is trusted. `%` stands for the pipe, so that this file is not found by its own rule.
finds() {
  [[ -n $(tr % '|' <<<"$1" | early_pipes) ]] || fail "the rule does not find: ${1//%/|}"
}
lets_pass() {
  [[ -z $(tr % '|' <<<"$1" | early_pipes) ]] || fail "the rule finds: ${1//%/|}"
}
# shellcheck disable=SC2016
{
  finds 'LC_ALL=C apt-cache policy -- "$1" 2>/dev/null % grep -q x' # what ci/install once did
  finds 'a %grep -iqF x; b'
  finds 'a % LC_ALL=C grep -E -m1 x'
  finds 'a % grep --quiet x'
  finds 'x=$(a % head -n 1)'
  finds 'a % head'
  finds "a % sed '1q'"
  finds "a % sed -n '/x/{p;q}'"
  finds "a % awk '{ print; exit }'"
  finds 'a % read -r x'
  finds $'a %\n  grep -q x'
  finds $'a \\\n  % head -1'
  finds 'if ! a %& grep -q x; then'
  lets_pass 'grep -q x <<<"$(a)"'
  lets_pass 'a %% grep -q x file'
  lets_pass 'a %% read -r x'
  lets_pass 'a % grep -v x % sort'
  lets_pass "a % sed -n 1p"
  lets_pass "a % sed -n 's/.q /x/p'"
  lets_pass 'a % while read -r x; do b; done'
  lets_pass '# a % head'
}

scripts=0
while IFS= read -r -d '' file; do
  case "$file" in
    */ci/templates/*.yml) ;; # CI runs their lines with `-e -o pipefail`
    *)
      IFS= read -r first <"$file" || continue
      case "$first" in
        '#!'*bash*) shell=bash ;;
        '#!'*/sh | '#!'*/sh\ * | '#!'*'env sh'*) shell='sh' ;;
        *) continue ;;
      esac
      "$shell" -n "$file" || fail "$file does not parse"
      ;;
  esac
  scripts=$((scripts + 1))
  while IFS= read -r line; do
    fail "${file#"$root"/}: a pipe into what leaves early: $line"
  done < <(early_pipes <"$file")
done < <(find "$root" -mindepth 1 \( -name .git -o -name 'build*' -type d -o -name 'out*' -type d -o -name .cache \) -prune \
  -o -type f -size -200k \( -perm -u+x -o -name '*.sh' -o -path '*/ci/templates/*.yml' \) -print0)
((scripts >= 10)) || fail "only $scripts scripts were found below $root"
((failures == 0)) || exit 1
echo "$scripts scripts parse, and no pipe ends in what leaves early"
