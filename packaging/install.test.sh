#!/usr/bin/env bash
# `cmake --install` into an empty prefix: what kassay takes from its folders is there as in the build folder.
#
#   packaging/install.test.sh BUILD
set -euo pipefail
build=$(realpath "${1:?usage: $0 BUILD}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() {
  echo "$*" >&2
  exit 1
}

cmake --install "$build" --prefix "$work/prefix" --strip >"$work/log" 2>&1 || die "$(cat "$work/log")"
installed=$work/prefix
cd "$work" # the current folder is not this checkout
unset KASSAY_DATA_DIR KASSAY_LIBEXEC_DIR
export KASSAY_CACHE_DIR=$work/cache
for list in suites cases requirements features kernels kconfig; do
  "$build/bin/kassay" list "$list" >built.txt || die "kassay list $list fails in the build folder"
  "$installed/bin/kassay" list "$list" >installed.txt || die "kassay list $list fails where it is installed"
  diff built.txt installed.txt >difference || die "kassay list $list: < built, > installed"$'\n'"$(<difference)"
done

# What profiles bring into a guest, and what the reference kernel is signed with.
profile_files() { awk '/^files = \[/ { on = 1 } on { print } /\]/ { on = 0 }' "$build"/share/kassay/vm/profiles/*.toml; }
for file in $(profile_files | grep -o '"[^"]*"' | tr -d '"' | sort -u) \
  certificates/trusted.pem keys/module-signing.pem; do
  [[ -e $installed/share/kassay/fixtures/$file || -e $installed/libexec/kassay/fixtures/$file ]] ||
    die "the fixture $file is not installed"
done
[[ -x $installed/libexec/kassay/guest-agent ]] || die "the guest's agent is not installed"
diff -r "$build/share/kassay/levels" "$installed/share/kassay/levels" || die "levels differ"
diff -r "$build/share/kassay/results/baselines" "$installed/share/kassay/results/baselines" || die "baselines differ"
[[ -s $(find "$installed" -name kassay-run.1) ]] || die "no manual page is installed"

links=$(find "$installed" -type l)
[[ -z $links ]] || die "an installation has no links into the checkout: $links"
tests=$(find "$installed" -name '*_test*' -o -name 'vm-probe' -o -name '*.cc')
[[ -z $tests ]] || die "what only tests need is installed: $tests"
echo "an installation has what the build folder has"
