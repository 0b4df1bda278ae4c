# A root of Debian made from packages, in mount and process namespaces of its own, and phases in it, of which each has
# a log, a time and a result. Sourced by ci/fresh-machine and ci/package, which have inside(), name in `own` the
# arguments that they read themselves and in `folder` where commands run in the root, and end with `machine "$@"`.
# Needs root (or sudo) and a Debian system, whose apt configuration it takes over. Its options:
#
#   --suite NAME     the Debian: bookworm (12, default) or trixie (13)
#   --root DIR       makes the root in DIR, which must not exist; default: a new folder in ${TMPDIR:-/var/tmp}
#   --keep           leaves the root there
#   --cache DIR      keeps packages, kernels and compiled objects in DIR for the next time: quicker, and no longer fresh
#   --mirror URL     the packages' mirror, instead of the one that apt uses here
#   --limit MINUTES  fails if all of it takes longer
#
# Exit codes: 0 as it should be, 1 a phase failed, 2 wrong usage, 3 no root could be made, 130 interrupted.
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # much is called by phase(), traps and the one who sources

self=$(realpath "$0")
readonly self tool=${0##*/}
say() { echo "ci/$tool: $*"; }
die() { # CODE TEXT
  say "$2" >&2
  exit "$1"
}

readonly user=assayer
readonly home=/home/$user

# machine OPTION... [-- ARGUMENT...]: all of it; the arguments are for inside(). It starts the script again in the
# namespaces.
machine() {
  if [[ -n ${INSIDE:-} ]]; then
    exec 2>&3 3>&- # what unshare says of our end is of no use
    failed=0
    phase root make_root || exit 3
    inside "$@"
    exit "$((failed > 0))"
  fi
  outside "$@"
}

# ---- outside: options, the folder, and the end of all of it ------------------------------------------------------

outside() {
  local suite=bookworm keep=false root="" limit="" mirror="" cache="" arguments=() invocation=("$@")
  while (($#)); do
    case "$1" in
      --keep) keep=true ;;
      --help | -h)
        sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$self" | grep -v '^shellcheck'
        sed -n '/^#   --suite/,/^# Exit codes/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
      --) shift; arguments=("$@"); break ;;
      --suite | --root | --cache | --mirror | --limit)
        (($# > 1)) || die 2 "$1 takes a value"
        local -n option=${1#--}
        option=$2
        shift
        ;;
      *) die 2 "unknown option $1; ci/$tool --help" ;;
    esac
    shift
  done
  [[ $suite == bookworm || $suite == trixie ]] || die 2 "--suite is bookworm or trixie"
  [[ -z $limit || $limit =~ ^[0-9]+$ ]] || die 2 "--limit takes minutes"
  [[ -z $root || ! -e $root ]] || die 2 "$root is there already"
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die 3 "takes root: chroot and mounts"
    exec sudo -- "$self" "${own[@]}" "${invocation[@]}"
  fi
  command -v apt-get >/dev/null || die 3 "this is not a Debian system"

  cd "$(dirname "$self")/.." || exit
  export SUITE=$suite CHECKOUT=$PWD RESULTS MIRROR=$mirror CACHE="" TREE
  install_tools
  RESULTS=$PWD/out/$tool-$suite-$(date +%Y%m%d-%H%M%S)
  mkdir -p "$RESULTS"
  if [[ -n $cache ]]; then
    mkdir -p "$cache" && CACHE=$(realpath "$cache")
    # Two machines would fight for apt's lock on one folder.
    exec {cache_lock}>"$CACHE/lock"
    flock --nonblock "$cache_lock" || die 3 "another run uses $CACHE; wait for it, or leave out --cache"
  fi
  if [[ -n $root ]]; then
    mkdir -p "$root" && TREE=$(realpath "$root")
  else
    TREE=$(mktemp -d "${TMPDIR:-/var/tmp}/kassay-root-XXXXXX")
  fi
  chmod 755 "$TREE"
  say "Debian $suite in $TREE, logs in ${RESULTS#"$PWD"/}"

  # Mounts and processes of the machine live in namespaces of their own and end with them, in every case. The job
  # has its own process group, so that Ctrl-C is for us alone.
  local code=0 inside
  trap 'interrupted=true; end_inside "$inside"' INT TERM HUP
  interrupted=false
  set -m
  INSIDE=1 setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc \
    "$BASH" "$self" "${own[@]}" "${arguments[@]}" </dev/null 3>&2 2>"$RESULTS/unshare" &
  inside=$!
  set +m
  wait "$inside" || code=$?
  while kill -0 "$inside" 2>/dev/null; do
    code=0
    wait "$inside" || code=$?
  done
  trap '' INT TERM HUP # no half-removed root
  "$interrupted" && code=130
  [[ -e $RESULTS/phases.tsv ]] || "$interrupted" || cat "$RESULTS/unshare" >&2
  rm -f "$RESULTS/unshare" "$RESULTS/apt.conf" "$RESULTS/remark" # apt's may hold a proxy's password

  if [[ $code -eq 0 && -n $limit ]] && ((SECONDS > limit * 60)); then
    say "took $((SECONDS / 60)) minutes, more than $limit" >&2
    code=1
  fi
  summary "$code" | tee "$RESULTS/summary.txt"
  if "$keep"; then
    say "the root is left in $TREE"
  else
    rm -rf --one-file-system "$TREE"
  fi
  [[ -z ${SUDO_UID:-} ]] || chown -R "$SUDO_UID:${SUDO_GID:-}" "$RESULTS"
  exit "$code"
}

install_tools() {
  compgen -G "/usr/share/keyrings/debian-archive-$SUITE-automatic.*" >/dev/null &&
    command -v mmdebstrap >/dev/null && command -v git >/dev/null && return
  say "installing mmdebstrap, git, debian-archive-keyring"
  local log
  log=$(mktemp)
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    mmdebstrap git debian-archive-keyring; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    rm "$log"
    die 3 "apt-get could not install what makes a root"
  fi
  rm "$log"
}

end_inside() { # PID of unshare: kills PID 1 of the namespace, with which all its processes end
  local children=()
  read -ra children <"/proc/$1/task/$1/children" || true
  kill -KILL "${children[@]:-$1}" 2>/dev/null || true
}

summary() { # CODE
  local name seconds result
  printf '\n%-28s %8s  %s\n' phase seconds result
  while IFS=$'\t' read -r name seconds result; do
    printf '%-28s %8s  %s\n' "$name" "$seconds" "$result"
  done < <(cat "$RESULTS/phases.tsv" 2>/dev/null)
  case "$1" in
    0) result=ok ;;
    130) result=interrupted ;;
    *) result=FAILED ;;
  esac
  printf '%-28s %8s  %s\n' total "$SECONDS" "$result"
}

# ---- inside the namespaces: phases -------------------------------------------------------------------------------

# phase NAME COMMAND...: output goes to a log, each line with the second in which it came.
phase() {
  local name=$1 begin=$SECONDS code=0 seconds result=ok
  shift
  log=$RESULTS/$(tr -cs 'a-zA-Z0-9_\n' - <<<"$name").log
  say "$name"
  "$@" 2>&1 | stamp >"$log" || code=$?
  seconds=$((SECONDS - begin))
  if ((code)); then
    result="FAILED ($code), see $(basename "$log")"
    failed=$((failed + 1))
    tail -n 25 "$log" | sed 's/^/    /'
  elif [[ -s $RESULTS/remark ]]; then
    result=$(<"$RESULTS/remark")
  fi
  rm -f "$RESULTS/remark"
  record "$name" "$seconds" "$result"
  say "$name: $result after $seconds s"
  return "$code"
}
record() { printf '%s\t%s\t%s\n' "$@" >>"$RESULTS/phases.tsv"; }
stamp() {
  local begin=$SECONDS line
  while IFS= read -r line; do printf '[%5d] %s\n' "$((SECONDS - begin))" "$line"; done
}

# One "deb" line for each of the suite, its updates and its security: apt's own of this machine, the name exchanged.
sources() {
  local here codename uri
  [[ -z $MIRROR ]] || printf 'deb %s %s main\n' "$MIRROR" "$SUITE" "$MIRROR" "$SUITE-updates"
  # shellcheck disable=SC1091
  here=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    sed -n 's/^Debian //p' | sort -u | while read -r codename uri; do
    case "$codename" in
      "$here" | "$here-updates") [[ -n $MIRROR ]] || echo "deb $uri $SUITE${codename#"$here"} main" ;;
      "$here-security") echo "deb $uri $SUITE-security main" ;;
    esac
  done
}

make_root() {
  local list settings=$RESULTS/apt.conf
  list=$(sources) || return
  if [[ -z $list ]]; then
    apt-get update && list=$(sources) || return
  fi
  [[ $list == *" $SUITE main"* ]] || { echo "apt names no mirror of Debian; use --mirror"; return 3; }
  echo "$list"
  # How this machine reaches its mirror: proxies, certificates, checks.
  apt-config dump | grep -E '^Acquire::(https?|ftp|Retries|Check-[A-Za-z-]*|ForceIPv[46])[: ]' |
    grep -vi 'proxy-auto-detect' >"$settings" || true
  local extra=sudo
  [[ $list != *https:* ]] || extra+=,ca-certificates
  local lines
  mapfile -t lines <<<"$list"
  mmdebstrap --mode=root --variant=minbase --include="$extra" --aptopt="$settings" \
    "$SUITE" "$TREE" "${lines[@]}" || return

  cp -L /etc/resolv.conf /etc/hosts "$TREE/etc/" &&
    printf '#!/bin/sh\nexit 101\n' >"$TREE/usr/sbin/policy-rc.d" && chmod 755 "$TREE/usr/sbin/policy-rc.d" &&
    mount -t proc proc "$TREE/proc" && mount --rbind /dev "$TREE/dev" && mount --rbind /sys "$TREE/sys" &&
    chroot "$TREE" useradd --create-home --shell /bin/bash "$user" &&
    echo "$user ALL=(ALL) NOPASSWD: ALL" >"$TREE/etc/sudoers.d/$user" || return
  [[ -z $CACHE ]] || use_cache
}

use_cache() {
  kept "apt-$SUITE" var/cache/apt/archives root &&
    kept kernels "${home#/}/.cache/kassay/kernels" "$user" &&
    kept kernels root/.cache/kassay/kernels "$user" &&
    kept "ccache-$SUITE" "${home#/}/.cache/ccache" "$user" &&
    chroot "$TREE" chown "$user:" "$home/.cache" "$home/.cache/kassay"
}
kept() { # NAME FOLDER OWNER: the machine's folder is one of the cache
  mkdir -p "$CACHE/$1" "$TREE/$2" && mount --bind "$CACHE/$1" "$TREE/$2" && chroot "$TREE" chown -R "$3:" "/$2"
}

# in_machine USER COMMAND...: in $folder, with the environment of a fresh login.
in_machine() {
  local who=$1 house=/root path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin name environment=()
  shift
  [[ $who == root ]] || { house=/home/$who path=/usr/local/bin:/usr/bin:/bin:/usr/games; }
  for name in http_proxy https_proxy no_proxy; do
    [[ -z ${!name:-} ]] || environment+=("$name=${!name}")
  done
  chroot "$TREE" runuser -u "$who" -- env -i -C "$folder" HOME="$house" USER="$who" LOGNAME="$who" PATH="$path" \
    LANG=C.UTF-8 SHELL=/bin/bash "${environment[@]}" "$@"
}

# assays USER COMMAND...: a run of kassay; keeps its result folder, and remarks what it says. A kernel with known bugs
# is nonconformant, exit code 1: that is a verdict, and no fault of the machine.
assays() {
  local code=0 run
  in_machine "$@" || code=$?
  echo "exit code $code"
  ((code <= 1)) || return "$code"
  run=$(newest_run)
  [[ -n $run ]] || { echo "there is no result folder"; return 3; }
  cp -r "$run" "$RESULTS/" || return
  verdicts "$run" >"$RESULTS/remark"
}
newest_run() {
  local run newest=""
  for run in "$TREE$folder"/out/*/; do
    [[ -e $run/results.ktap ]] || continue
    [[ -n $newest && $run/results.ktap -ot $newest/results.ktap ]] || newest=${run%/}
  done
  echo "$newest"
}

verdicts() { # RUN: "1194 pass, 44 fail, ..."
  sed -nE 's/^ +(not )?ok [0-9]+ [^#]*(# (SKIP )?([a-zA-Z]+).*)?$/\4/p' "$1/results.ktap" | sed 's/^$/pass/' |
    sort | uniq -c | sort -rn | awk '{ printf "%s%d %s", (NR > 1 ? ", " : ""), $1, $2 }'
}
