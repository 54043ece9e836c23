# shellcheck shell=bash
# What the scripts beside this file share; to be sourced.
#
#   NAME-up [DIR] …   starts a server that listens on 127.0.0.1 alone and keeps all it writes under DIR (a new temporary
#                     directory where none is named). Prints KEY='value' lines, fit for eval, to stdout and all else to stderr.
#                     Where the server of DIR is up already, it only prints the lines.
#   NAME-down DIR     stops what NAME-up started there, and removes DIR where NAME-up made it.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "error: $*"; exit 1; }

# Sets D to the absolute path of the directory to work in: $2, or a new one named after $1.
enter_dir() {
  if [ -n "$2" ]; then
    mkdir -p -- "$2"
    D=$(cd -- "$2" && pwd -P)
  else
    D=$(mktemp -d "${TMPDIR:-/tmp}/$1.XXXXXX")
    : > "$D/temporary"
  fi
  chmod 755 "$D"   # the server may run as another user
}

remove_dir_if_temporary() { if [ -e "$D/temporary" ]; then rm -rf -- "$D"; fi; }

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port [TAKEN…]   a port that is none of these, which servers are about to use.
# Below the kernel's range for outgoing connections, so that none of those takes the port before the server does.
free_port() {
  local port try
  for try in {1..200}; do
    port=$(( 20000 + (RANDOM * 32768 + RANDOM) % 10000 ))
    case " $* " in *" $port "*) continue;; esac
    if ! listening "$port"; then echo "$port"; return; fi
  done
  die "found no free port in $try tries"
}

secret() { head -c 256 /dev/urandom | base64 | tr -dc 'A-Za-z0-9' | head -c 24; }

# The start time of a process tells it from a later one with the same number. A zombie counts as gone.
start_of() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  # shellcheck disable=SC2086 # the fields are to be split
  set -- $stat
  [ "$1" != Z ] && echo "${20}"
}

# Runs a command detached from this shell, its output in D/NAME.log, its number and start time in D/NAME.pid.
spawn() {
  local name=$1
  shift
  setsid -- "$@" >> "$D/$name.log" 2>&1 < /dev/null &
  local pid=$!
  disown "$pid" 2>/dev/null || true
  echo "$pid $(start_of "$pid" || echo gone)" > "$D/$name.pid"
}

alive() {
  local pid start
  read -r pid start 2>/dev/null < "$D/$1.pid" && [ "$(start_of "$pid" || echo no)" = "$start" ]
}

# stop NAME SIGNAL
stop() {
  local pid step
  alive "$1" || { rm -f "$D/$1.pid"; return 0; }
  read -r pid _ < "$D/$1.pid"
  kill -CONT "$pid" 2>/dev/null || true   # a test may have paused it
  kill "-$2" "$pid" 2>/dev/null || true
  for (( step = 0; step < 400; step++ )); do
    alive "$1" || break
    [ "$step" -ne 300 ] || { say "$1 ($pid) does not stop by SIG$2; SIGKILL"; kill -KILL "$pid" 2>/dev/null || true; }
    sleep 0.05
  done
  rm -f "$D/$1.pid"
}

# stop_with PID SCRIPT   the servers of D are stopped, as by SCRIPT, once the process PID is gone; nothing where PID is empty
stop_with() {
  [ -n "$1" ] && ! alive watch || return 0
  # shellcheck disable=SC2016 # expanded by the shell that is started
  spawn watch bash -c 'while [ -d "/proc/$1" ]; do sleep 1; done; rm -f "$3/watch.pid"; exec "$2" "$3"' watch "$1" "$HERE/$2" "$D"
}

# wait_until WHAT SERVER COMMAND…   fails at once where the server has died, and after 30 seconds
wait_until() {
  local what=$1 server=$2 step
  shift 2
  for (( step = 0; step < 600; step++ )); do
    if "$@" > /dev/null 2>&1; then return; fi
    alive "$server" || break
    sleep 0.05
  done
  tail -n 20 "$D/$server.log" >&2 2>/dev/null || true
  die "gave up waiting for $what"
}

# Keeps KEY VALUE pairs as KEY='value' lines in D/env.
keep_env() {
  ( umask 077
    while [ $# -gt 0 ]; do
      printf "%s='%s'\n" "$1" "${2//\'/\'\\\'\'}"
      shift 2
    done > "$D/env" )
}
