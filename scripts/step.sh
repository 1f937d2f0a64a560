# shellcheck shell=bash
# One line a step, for people: "✓ text (3.2 s)" or "✗ text (3.2 s)". Source this file.
#
# What the tools underneath print goes to one log a step; a failure names it and shows its end.
# Long work shows that it is alive: in place on a terminal, else with a line every ten seconds.
# A release is built on macOS as well, whose bash is 3.2: nothing newer is used here and in scripts/release/, and a test
# runs them without what it lacks.

cache=${DEPLOY_TOOL_CACHE:-${XDG_CACHE_HOME:-${HOME:?names no folder: set it, or DEPLOY_TOOL_CACHE}/.cache}/deploy-tool}
mkdir -p "$cache/logs"
# Scripts change their folder.
cache=$(CDPATH='' cd "$cache" && pwd)
logs=$cache/logs
# Where programs are found after they are compiled: a user's Cargo configuration may name other folders.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$(CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/target}
unset CARGO_BUILD_TARGET
# What is asked of this host itself goes through no proxy.
if [ -n "${HTTP_PROXY:-}${HTTPS_PROXY:-}${ALL_PROXY:-}${http_proxy:-}${https_proxy:-}${all_proxy:-}" ]; then
  export NO_PROXY=${NO_PROXY:+$NO_PROXY,}localhost,127.0.0.1 no_proxy=${no_proxy:+$no_proxy,}localhost,127.0.0.1
fi

# say TEXT…: talk goes to stderr, data to stdout.
say() { printf '%s\n' "$*" >&2; }

# die TEXT MORE…: the last words of a script that cannot go on. The exit codes are those of deploy-tool:
# 3 says that the host lacks something; scripts that look for that set exit_code.
exit_code=1
die() {
  say "✗ $1"
  shift
  [ $# -eq 0 ] || printf '%s\n' "$@" >&2
  exit "$exit_code"
}

# one_at_a_time NAME [COMMAND]: a second run of the same script says so and ends, instead of fighting with the first.
one_at_a_time() {
  command -v flock >/dev/null || { exit_code=3; die "flock is missing: it is part of util-linux"; }
  exec 9>"$cache/$1.lock"
  flock --nonblock 9 || die "another \`${2:-make $1}\` is running: wait for it, or end it"
}

# now: seconds; whole ones where the shell knows no better. Where decimals have a comma, the shell's have one too.
now() { if [ -n "${EPOCHREALTIME:-}" ]; then echo "${EPOCHREALTIME/,/.}"; else date +%s; fi; }

seconds_since() { LC_ALL=C awk -v start="$1" -v now="$(now)" 'BEGIN { printf "%.1f", now - start }'; }

# last_line FILE: the newest line of a log, short enough for one terminal line.
last_line() { { tail -c 2000 "$1" 2>/dev/null | tr '\r' '\n' | grep -v '^[[:space:]]*$' || true; } | tail -n 1 | cut -c 1-90; }

# last_sentence FILE: the last words of a log, whole, without what a program says before its own failure.
# Nothing, of a log without any.
last_sentence() {
  { grep -v '^[[:space:]]*$' "$1" 2>/dev/null || true; } | tail -n 1 | sed 's/^✗ //; s/^Error response from daemon: //'
}

# show_alive TITLE LOG: runs beside a step until it is ended. Its pause may outlive the script, and must not keep the lock.
show_alive() {
  local start seconds pause=10 line='  … %s (%s s) %s\n'
  [ ! -t 2 ] || pause=1 line='\r\033[K… %s (%s s) %s'
  start=$(now)
  while sleep "$pause"; do
    seconds=$(seconds_since "$start")
    # shellcheck disable=SC2059
    printf "$line" "$1" "${seconds%.*}" "$(last_line "$2")" >&2
  done
}

# step NAME TITLE COMMAND…: runs the command with its output in $logs/NAME.log.
# The command must be a program or script of its own: inside a function called here, `set -e` would not hold.
step() {
  local name=$1 title=$2 start code=0 alive
  start=$(now)
  shift 2
  show_alive "$title" "$logs/$name.log" 9>&- &
  alive=$!
  "$@" >"$logs/$name.log" 2>&1 </dev/null || code=$?
  end_step "$name" "$title" "$alive" "$(seconds_since "$start")" "$code"
}

# end_step NAME TITLE ALIVE SECONDS CODE: the line of a step that has ended, and what it said if it failed.
end_step() {
  local log=$logs/$1.log title=$2 alive=$3 seconds=$4 code=$5
  kill "$alive" 2>/dev/null || true
  wait "$alive" 2>/dev/null || true
  [ ! -t 2 ] || printf '\r\033[K' >&2
  if [ "$code" -eq 0 ]; then
    say "✓ $title ($seconds s)"
    return 0
  fi
  say "✗ $title ($seconds s)"
  # Of tests what failed in each, else the end.
  if grep -q '^failures:$' "$log"; then
    awk '/^failures:$/ { found = 1 } found && lines++ < 150 { print "    " $0 }' "$log" >&2
  else
    tail -n 15 "$log" | sed 's/^/    /' >&2
  fi
  if grep -q 'No space left on device' "$log"; then
    say "  the disk is full: free some space, for instance with \`docker system prune\`, then run the same command again"
  fi
  say "  whole log: $log"
  return "$code"
}

# connects PORT: whether somebody listens there on this host's loopback.
connects() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# maps_users: whether Docker runs without root, or with userns-remap. Its containers get no network of the host.
maps_users() { [[ $(docker info --format '{{json .SecurityOptions}}' 2>/dev/null) =~ name=(rootless|userns) ]]; }

# run_as_user OPTION… IMAGE COMMAND…: a container whose files are the user's. In an engine without root, that user is the
# container's root; an engine that maps users is told not to. deploy-tool does the same (crates/wasm-build/src/builder.rs).
run_as_user() {
  case $(docker info --format '{{json .SecurityOptions}}' 2>/dev/null) in
    *name=rootless*) set -- --user=0:0 "$@" ;;
    *name=userns*) set -- "--user=$(id -u):$(id -g)" --userns=host "$@" ;;
    *) set -- "--user=$(id -u):$(id -g)" "$@" ;;
  esac
  docker run --rm "$@"
}

# begin NAME COMMAND…: starts a step beside what follows, for work that leaves a processor idle. `finish NAME TITLE` waits
# for it, and is its line. What is still running when the script ends, ends with it. A NAME is a shell variable's.
begun=
begin() {
  local name=$1
  shift
  [ -n "$begun" ] || trap end_begun EXIT
  # Job control gives it a process group of its own, to be ended as one.
  set -m
  (
    start=$(now) code=0
    "$@" >"$logs/$name.log" 2>&1 || code=$?
    seconds_since "$start" >"$logs/$name.seconds"
    exit "$code"
  ) </dev/null &
  printf -v "process_$name" %s "$!"
  begun+=" $!"
  set +m
}
finish() {
  local name=$1 title=$2 process=process_$1 code=0 alive
  show_alive "$title" "$logs/$name.log" 9>&- &
  alive=$!
  wait "${!process}" || code=$?
  end_step "$name" "$title" "$alive" "$(cat "$logs/$name.seconds")" "$code"
}
end_begun() {
  local process
  for process in $begun; do kill -- "-$process" 2>/dev/null || true; done
}
