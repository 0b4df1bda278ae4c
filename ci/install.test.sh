#!/usr/bin/env bash
# ci/install and what `kassay doctor` says of packages, with stand-ins for dpkg-query, apt-get, apt-cache and sudo:
# nothing is installed.
#
#   ci/install.test.sh KASSAY
set -euo pipefail

kassay=${1:?usage: $0 KASSAY}
source=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/elsewhere"
export WORK=$work PATH=$work/bin:$PATH KASSAY_CACHE_DIR=$work/cache
cd "$work/elsewhere" # neither may depend on the current folder

die() {
  echo "$*" >&2
  [[ ! -f $work/said ]] || sed 's/^/said: /' "$work/said" >&2
  exit 1
}
stand_in() { # NAME, its text on standard input
  { echo '#!/bin/bash'; cat; } >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}

# $WORK/installed: the packages that are there. $WORK/none: those that apt knows and cannot have.
stand_in dpkg-query <<'END'
while read -r package; do echo "$package installed"; done <"$WORK/installed"
echo "libgone config-files"
END
# As long as apt's answer gets where many sources offer a package: far more than a pipe holds.
stand_in apt-cache <<'END'
package=${*: -1}
if grep -qxF -- "$package" "$WORK/none"; then candidate='(none)'; else candidate=1:2.3-4; fi
printf '%s:\n  Installed: (none)\n  Candidate: %s\n  Version table:\n' "$package" "$candidate"
for ((i = 0; i < 5000; ++i)); do echo "     1:2.3-$i 500"; echo "        500 mirror/debian suite$i/main amd64 Packages"; done
END
stand_in apt-get <<'END'
while [[ ${1:-} == -* ]]; do [[ $1 == -o ]] && shift; shift; done
echo "$*" >>"$WORK/apt-get"
[[ $1 != install || ! -e $WORK/apt-fails ]]
END
stand_in sudo <<'END'
exec "$@"
END

names() { tr ' ' '\n' | sed '/^$/d' | sort; }
# The list, read in another way than ci/install does: the packages of a KIND.
listed() {
  case "$1" in
    needed) grep -vE '^(#|$)|optional:|develop:' "$source/ci/packages.txt" ;;
    *) grep -vE '^(#|$)' "$source/ci/packages.txt" | grep "$1:" ;;
  esac | sed 's/[ #].*//' | sort
}
install() { # ARGUMENT...: what apt-get was asked to install is in $work/asked, what was said in $work/said
  code=0
  : >"$work/apt-get"
  "$source/ci/install" "$@" >"$work/said" 2>&1 || code=$?
  sed -n 's/^install -y --no-install-recommends //p' "$work/apt-get" | names >"$work/asked"
}
asks_for() { # the packages on standard input, and no other
  diff -u - "$work/asked" || die "$1: < should be installed, > was"
}
: >"$work/none"

# A bare machine: an optional package that can be had is installed.
: >"$work/installed"
install --to-run
{ listed needed; listed optional; } | sort | asks_for "ci/install --to-run on a bare machine"
[[ $code -eq 0 ]] || die "exit code $code"
install
{ listed needed; listed optional; listed develop; } | sort | asks_for "ci/install on a bare machine"

# One that cannot be had is named and gone without.
listed optional >"$work/none"
install --to-run
listed needed | asks_for "ci/install --to-run without optional packages"
for package in $(listed optional); do
  grep -q "^ci/install: $package is not to be had here" "$work/said" || die "$package is not named"
done
[[ $code -eq 0 ]] || die "exit code $code without optional packages"
: >"$work/none"

# Everything there: no word, no apt-get.
{ listed needed; listed optional; } >"$work/installed"
install --to-run
[[ $code -eq 0 && ! -s $work/said && ! -s $work/apt-get ]] || die "ci/install is not silent where all is there"
install
listed develop | asks_for "ci/install where only packages for development are missing"

# What cannot be installed, and what is no option.
touch "$work/apt-fails"
install
[[ $code -eq 3 ]] || die "apt-get fails: exit code $code instead of 3"
rm "$work/apt-fails"
install --bogus
[[ $code -eq 2 && ! -s $work/apt-get ]] || die "--bogus: exit code $code instead of 2"

# kassay doctor names what ci/install would install, by kind.
says() { # TEXT: the packages that doctor names after it
  sed -n "s/^[A-Za-z]*  *$1://p" "$work/doctor" | names
}
for there in "" "needed" "needed optional" "needed optional develop" "optional develop"; do
  for kind in $there; do listed "$kind"; done >"$work/installed"
  "$kassay" doctor --no-boot >"$work/doctor" 2>&1 || true
  install
  cp "$work/doctor" "$work/said"
  {
    says "needed packages are missing"
    says "optional packages are missing"
    says "packages for work on kassay itself are missing"
  } | sort | asks_for "kassay doctor (<) and ci/install (>) where ${there:-nothing} is there"
  for kind in needed optional develop; do
    case "$kind" in
      develop) text="packages for work on kassay itself are missing" ;;
      *) text="$kind packages are missing" ;;
    esac
    if [[ " $there " == *" $kind "* ]]; then expected=; else expected=$(listed "$kind"); fi
    [[ $(says "$text") == "$expected" ]] || die "kassay doctor on $kind packages where ${there:-nothing} is there"
  done
done
echo "ci/install and kassay doctor judge the same packages"
