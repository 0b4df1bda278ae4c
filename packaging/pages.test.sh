#!/usr/bin/env bash
# The manual pages and the completion say what --help says.
#
#   packaging/pages.test.sh KASSAY
set -euo pipefail
kassay=$(realpath "${1:?usage: $0 KASSAY}")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=$(dirname "$kassay"):$PATH
die() {
  echo "$*" >&2
  exit 1
}

"$here/pages" "$kassay" "$work"
pages=$work/man/man1
for page in kassay kassay-run kassay-list kassay-list-suites kassay-kernel-build; do
  [[ -s $pages/$page.1 ]] || die "there is no page $page"
done
[[ ! -e $pages/kassay-ctest-script.1 ]] || die "what --help hides has a page"
for page in "$pages"/*.1; do
  grep -q '^\.SH SEE ALSO' "$page" || die "$(basename "$page") is alone"
  ! grep -q "$HOME/" "$page" || die "$(basename "$page") names a folder of the one who builds"
  ! command -v man >/dev/null || [[ -z $(man --warnings -l "$page" 2>&1 >/dev/null) ]] ||
    die "man warns: $(man --warnings -l "$page" 2>&1 >/dev/null)"
done
# Every option of `run` with its text, and nothing but its first column in bold.
while read -r option _; do
  option=${option##*,}
  grep -qF "${option//-/\\-}\\fR" "$pages/kassay-run.1" || die "kassay-run.1 does not tell of $option"
done < <("$kassay" run --help | grep '^  -')
grep -A3 -F '\fB\-\-isolation\fR TEXT:{case,suite}' "$pages/kassay-run.1" | grep -F 'A fresh kernel for each' >/dev/null ||
  die "kassay-run.1 does not say what --isolation is"
grep -A12 '^\.SH EXIT STATUS' "$pages/kassay.1" | grep -F '130  interrupted' >/dev/null || die "kassay.1 lacks exit codes"

# shellcheck disable=SC1091
. "$work/bash-completion/completions/kassay"
# completes "WORDS" "ANSWERS": after WORDS, of which the last is unfinished
completes() {
  local IFS=' '
  # shellcheck disable=SC2034 # what completion reads
  read -ra COMP_WORDS <<<"$1"
  [[ $1 != *' ' ]] || COMP_WORDS+=("")
  # shellcheck disable=SC2034
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
  _kassay
  [[ ${COMPREPLY[*]} == "$2" ]] || die "'$1' is completed to: ${COMPREPLY[*]}"
}
completes "kassay ru" "run"
completes "kassay run --isol" "--isolation"
completes "kassay run --isolation " "case suite"
completes "kassay run --suite io_uring --accel k" "kvm"
completes "kassay list su" "suites"
completes "kassay list suites --js" "--json"
completes "kassay report some" ""
completes "kassay list kernels --suite " ""
suites=$("$kassay" list suites 2>/dev/null | awk 'NR > 1 { print $1 }' | xargs) || die "kassay lists no suite"
completes "kassay run --suite " "$suites"
echo "pages and completion say what --help says"
