# shellcheck shell=bash
# What the commands at the root share. Source it; do not run it.

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
DATA=${VITRINE_DATA:-$ROOT/data}
PORT=${VITRINE_PORT:-8080}
URL=http://127.0.0.1:$PORT
SERVER=$ROOT/src/Vitrine.Server/bin/Release/net10.0/vitrine-server
CLI=$ROOT/src/Vitrine.Cli/bin/Release/publish/vitrine

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

say() { printf '%s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# need_sdk   fails unless the .NET 10 SDK is there
need_sdk() {
  command -v dotnet >/dev/null 2>&1 || die "the .NET 10 SDK is missing (https://dotnet.microsoft.com/download)"
  case $(dotnet --version) in 10.*) ;; *) die "the .NET 10 SDK is needed; dotnet is version $(dotnet --version)";; esac
}

# install_packages PACKAGE...   installs the Debian packages that are missing
install_packages() {
  local missing=() package sudo=()
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || die "these packages are missing: ${missing[*]} (installing them needs root)"
    sudo=(sudo)
  fi
  say "installing ${missing[*]}"
  local apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
  local log; log=$(mktemp)
  # A new machine has no list of packages, or an old one.
  if ! { "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
         { "${apt[@]}" update >>"$log" 2>&1 && "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; }; }; then
    tail -n 20 "$log" >&2
    die "could not install ${missing[*]}"
  fi
  rm -f "$log"
}

# build_cli   builds the command line, and compiles it ahead of time where the compiler for that can be had: every command is a start
build_cli() {
  local publish=(dotnet publish "$ROOT/src/Vitrine.Cli" -c Release --use-current-runtime --no-self-contained -o "${CLI%/*}" -v quiet --nologo)
  "${publish[@]}" -p:PublishReadyToRun=true >&2 || "${publish[@]}" >&2
}

# The start time (field 22 of /proc/PID/stat) tells a process from a later one with the same pid.
start_time() {
  local stat; stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  # shellcheck disable=SC2086
  set -- $stat
  [ "$1" != Z ] || return 1
  echo "${20}"
}

# running   true while the server that ./start started runs; sets PID
running() {
  local started
  [ -f "$DATA/server.pid" ] || return 1
  read -r PID started <"$DATA/server.pid" || return 1
  [ "$(start_time "$PID" 2>/dev/null)" = "$started" ]
}
