#!/bin/sh
# One step of `git bisect run` in a Linux tree: builds the tree and runs one case on it.
#
#   cd linux
#   git bisect start BAD GOOD
#   CASE=io_uring.Exec.KeepsTheListAfterARingWasUsed git bisect run /path/to/kassay/ci/templates/git-bisect-run.sh
#
# CASE     the case, SUITE.GROUP.CASE (needed)
# CONFIG   a .config to build with; without it `make x86_64_defconfig kvm_guest.config`
# REPEAT   how often the case runs; one failing attempt makes a commit bad (1)
# JOBS     for make (all CPUs)
# KASSAY   the program (kassay)
#
# Exit codes, as git bisect wants them: 0 good, 1 bad, 125 cannot tell (does not build or boot, the
# feature is not there), 128 stop: the script is used wrongly.
set -u

case "${CASE:-}" in
  *.*.*) ;;
  *) echo "set CASE to SUITE.GROUP.CASE" >&2; exit 128 ;;
esac
suite=${CASE%%.*}
name=${CASE#*.}
kassay=${KASSAY:-kassay}
command -v "$kassay" >/dev/null || { echo "$kassay is not to be found; set KASSAY" >&2; exit 128; }

if [ -n "${CONFIG:-}" ]; then
  cp "$CONFIG" .config || exit 128
  make -s olddefconfig || exit 125
else
  make -s x86_64_defconfig kvm_guest.config || exit 125
fi
make -s -j"${JOBS:-$(nproc)}" bzImage modules || exit 125

out=$(mktemp -d -t kassay-bisect.XXXXXX) || exit 128
trap 'rm -rf "$out"' EXIT
"$kassay" run --kernel "$PWD" --suite "$suite" --case "$name" --repeat "${REPEAT:-1}" --out "$out/run"
code=$?
cat "$out/run/results.ktap" 2>/dev/null

case $code in
  0 | 1) exit "$code" ;; # something passed and nothing failed; something failed
  3 | 5) exit 125 ;;     # the case is absent or unmet; the kernel does not come up
  *) exit 128 ;;
esac
