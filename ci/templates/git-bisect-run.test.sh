#!/bin/bash
# git-bisect-run.sh under `git bisect run`, in a small tree whose "build" copies a kernel.
#
#   git-bisect-run.test.sh codes              each exit code, with a made-up kassay: no kernel needed
#   git-bisect-run.test.sh real KASSAY GOOD BAD CASE
#       KASSAY walks a tree between two pinned kernels: the case passes on GOOD and fails on BAD
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
script=$here/git-bisect-run.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"
export TMPDIR=$work/tmp
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t

die() { echo "$*" >&2; exit 1; }

# A tree whose Makefile knows the targets that the script builds; `kernel` says which one comes out.
make_tree() {
  git init -q "$work/tree"
  cd "$work/tree"
  cat > Makefile <<'END'
x86_64_defconfig kvm_guest.config olddefconfig:
	@test -f .config || echo CONFIG_X86_64=y > .config
bzImage:
	@! grep -q broken-build kernel
	@mkdir -p arch/x86/boot include/config
	@./build.sh "$$(cat kernel)"
modules: bzImage
END
  printf '.config\narch/\ninclude/\n' > .gitignore
}

# commit KERNEL: one commit of the tree
commit() {
  echo "$1" > kernel
  git add -A
  git commit -q --allow-empty -m "$1"
}

bisect() {  # bisect BAD GOOD; FOUND_COMMIT and its subject FOUND: the first bad one
  git bisect start "$1" "$2" > /dev/null 2>&1
  git bisect run "$script" > "$work/log" 2>&1 || { cat "$work/log" >&2; die "git bisect run failed"; }
  FOUND_COMMIT=$(git rev-parse refs/bisect/bad)
  FOUND=$(git log -1 --format=%s "$FOUND_COMMIT")
  git bisect reset > /dev/null 2>&1
}

codes() {
  make_tree
  printf '#!/bin/sh\necho "$1" > arch/x86/boot/bzImage\n' > build.sh
  chmod +x build.sh
  # What kassay would say of each kernel: its exit code and the case's verdict.
  cat > "$work/kassay" <<'END'
#!/bin/bash
while [ $# -gt 0 ]; do case $1 in --kernel) tree=$2;; --out) out=$2;; esac; shift; done
kernel=$(cat "$tree/arch/x86/boot/bzImage")
say() { mkdir -p "$out"; printf '{\n "verdict": "%s"\n}\n' "$1" > "$out/results.json"; echo "not ok 1 $1" > "$out/results.ktap"; exit "$2"; }
case $kernel in
  good*) say pass 0;; bad*) say fail 1;; hang*) say timeout 1;; absent*) say absent 3;; unmet*) say unmet 3;;
  error*) exit 3;; no-boot*) exit 5;; usage*) exit 2;; stopped*) exit 130;;
esac
END
  chmod +x "$work/kassay"
  export KASSAY=$work/kassay CASE=s.Group.Case
  local kernel expected got
  for pair in good:0 bad:1 hang:1 absent:125 unmet:125 error:125 no-boot:125 broken-build:125 usage:128 stopped:128; do
    kernel=${pair%:*} expected=${pair#*:}
    echo "$kernel" > kernel
    got=0; "$script" > "$work/log" 2>&1 || got=$?
    [ "$got" = "$expected" ] || { cat "$work/log" >&2; die "$kernel: exit code $got instead of $expected"; }
  done
  got=0; CASE=Group.Case "$script" > "$work/log" 2>&1 || got=$?
  [ "$got" = 128 ] || die "a case without its suite: exit code $got"
  got=0; KASSAY=/no/such/kassay "$script" > "$work/log" 2>&1 || got=$?
  [ "$got" = 128 ] || die "no kassay: exit code $got"
  got=0; CONFIG=/no/such/config "$script" > "$work/log" 2>&1 || got=$?
  [ "$got" = 128 ] || die "no config: exit code $got"
  [ -z "$(find "$TMPDIR" -name 'kassay-bisect.*')" ] || die "a result folder was left behind"

  for kernel in good-1 good-2 broken-build absent-1 good-3 bad-1 no-boot bad-2 hang-1; do commit $kernel; done
  bisect HEAD HEAD~8
  [ "$FOUND" = bad-1 ] || die "the first bad commit is bad-1, not $FOUND"
  echo "exit codes and a bisection over 9 commits: as git wants them"
}

real() {
  local kassay=$1 good=$2 bad=$3
  export KASSAY=$kassay CASE=$4
  make_tree
  # What a build leaves in the tree; the case must do without modules.
  cat > build.sh <<'END'
#!/bin/bash
set -euo pipefail
field() { "$KASSAY" kernel show "$1" | awk -v name="$2" '$1 == name && NF == 2 { print $2 }'; }
cp "$(field "$1" image)" arch/x86/boot/bzImage
cp "$(field "$1" config)" .config
field "$1" release > include/config/kernel.release
END
  chmod +x build.sh
  for kernel in "$good" "$good" "$bad" "$bad"; do commit "$kernel"; done
  git tag first-bad HEAD~1
  bisect HEAD HEAD~3
  cat "$work/log"
  [ "$(git rev-parse "$FOUND_COMMIT")" = "$(git rev-parse first-bad)" ] || die "found $FOUND_COMMIT"
  echo "git bisect run found the first commit on which $CASE does not hold"
}

case ${1:-} in
  codes) codes ;;
  real) shift; real "$@" ;;
  *) die "usage: $0 codes | real KASSAY GOOD BAD CASE" ;;
esac
