#!/usr/bin/env bash
# Which files ci/lint looks at and what it answers, in a small checkout with a stand-in for clang-tidy.
#
#   ci/lint.test.sh
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
"$source/ci/lint" --format harness/base/result.h >/dev/null || exit 3 # no clang-format that judges, or no git
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work"/{bin,checkout/{ci,build,room}}
cd "$work/checkout"
cp "$source/ci/lint" ci/
cp "$source/.clang-format" .
cp -r "$source/ci/hooks" ci/
cat >"$work/bin/clang-tidy" <<'END_OF_STAND_IN'
#!/bin/bash
echo "${*: -1}" >>"$WORK/tidied"
! grep -q untidy "${*: -1}"
END_OF_STAND_IN
chmod +x "$work/bin/clang-tidy"
export WORK=$work PATH=$work/bin:$PATH
unset BUILD GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE
git() { command git -c user.name=a -c user.email=a@b -c core.hooksPath=ci/hooks "$@"; }

die() {
  echo "$*" >&2
  sed 's/^/said: /' "$work/said" >&2
  exit 1
}
# lint CODE UNITS ARGUMENT...: the exit code, and the units that clang-tidy saw
lint() {
  local code=0 expected=$1 units=$2
  shift 2
  : >"$work/tidied"
  ci/lint "$@" >"$work/said" 2>&1 || code=$?
  [[ $code -eq $expected ]] || die "ci/lint $*: exit code $code instead of $expected"
  [[ $(sort "$work/tidied" | xargs) == "$units" ]] || die "ci/lint $* tidied: $(xargs <"$work/tidied")"
}

echo 'int a();' >room/a.h
echo '#include "room/a.h"' >room/a.cc
echo 'int b();' >room/only_header.h
printf '#include "room/only_header.h"\n' >room/c.cc
echo 'int generated();' >room/not_compiled.cc
printf '[{"file": "%s/room/a.cc"},\n{"file": "%s/room/c.cc"}]\n' "$PWD" "$PWD" >build/compile_commands.json
echo /build >.gitignore
git init --quiet
git add . && git commit --quiet --no-verify --message begin

lint 0 "room/a.cc room/c.cc"
lint 0 "" --format
lint 0 "" --changed
lint 2 "" --bogus
lint 2 "" --changed room
echo 'int  b( );' >room/only_header.h
lint 1 "" --format
lint 1 "" --format room/only_header.h
lint 0 "" --format room/a.cc
lint 1 "" --changed
if git commit --quiet --all --message hook >"$work/said" 2>&1; then die "the hook let pass what is not formatted"; fi
echo 'int b(int);' >room/only_header.h
lint 0 room/c.cc --changed
git add . # staged counts too
lint 0 room/c.cc --changed
echo 'int a(int);' >room/a.h
lint 0 "room/a.cc room/c.cc" --changed
echo 'int untidy();' >>room/a.cc
lint 1 "room/a.cc room/c.cc" --changed
lint 1 "room/a.cc room/c.cc"
if git commit --quiet --all --message hook >"$work/said" 2>&1; then die "the hook let pass what is not tidy"; fi
rm room/a.cc room/a.h
lint 0 room/c.cc
git commit --quiet --all --message hook >"$work/said" 2>&1 || die "the hook refuses what is clean"
rm build/compile_commands.json
lint 3 "" # and formatting goes without
lint 0 "" --format
echo "ci/lint looks at what it says"
