#!/usr/bin/env bash
# A vendor's suite lives outside this checkout: built with -DKASSAY_EXTRA_SUITES, run with `kassay --suites`, reported
# like ours. Boots a kernel.
#
#   ci/extra_suites.test.sh BUILD KERNEL
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
build=$(realpath "${1:?usage: $0 BUILD KERNEL}")
kernel=${2:?usage: $0 BUILD KERNEL}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() {
  echo "$*" >&2
  exit 1
}

# As a vendor has it: a folder of their own, and a build folder of their own.
mkdir "$work/vendor"
cp -r "$source/docs/example-suites/acme_sysctl" "$work/vendor/"
cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DKASSAY_EXTRA_SUITES="$work/vendor" >"$work/log" 2>&1 || die "$(tail -20 "$work/log")"
cmake --build "$work/build" --target suite_acme_sysctl >"$work/log" 2>&1 || die "$(tail -20 "$work/log")"
suites=$work/build/extra-suites
[[ -x $suites/acme_sysctl/acme_sysctl && -f $suites/acme_sysctl/requirements.toml ]] || die "no folder for --suites"

# The kassay that is installed here knows it by its folder alone.
kassay=$build/bin/kassay
! "$kassay" list cases --suite acme_sysctl 2>"$work/log" || die "the suite is known without --suites"
grep -q "there is no suite 'acme_sysctl'; there are: " "$work/log" || die "$(<"$work/log")"
"$kassay" list cases --suites "$suites" --suite acme_sysctl >"$work/log"
grep -q DmesgRestrict.RefusesOtherNumbers "$work/log" || die "its cases are not listed"
code=0
"$kassay" --suites "$suites" run --kernel "$kernel" --suite acme_sysctl --quiet --out "$work/out" >"$work/log" 2>&1 || code=$?
((code == 0)) || die "exit code $code: $(<"$work/log")"
grep -q '2 cases: 2 pass' "$work/log" || die "$(<"$work/log")"
# Its record speaks for itself: no --suites is needed to read it.
"$kassay" report "$work/out" --format ktap >"$work/log"
grep -q '^  ok 1 .*DmesgRestrict.KeepsWhatItWasTold' "$work/log" || die "the report does not have it"
grep -q 'ACM-002' "$work/out/report.html" || die "the page does not name its requirement"
