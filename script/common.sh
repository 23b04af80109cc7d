# Shared by the scripts: where things are, and how they speak.
# shellcheck shell=bash

FF_SCRIPT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
FF_ROOT=$(dirname "$FF_SCRIPT")
# Toolchains are kept outside the checkout, so that a second clone is quick.
FF_CACHE=${FAMILIAR_FACES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/familiar-faces-dev}
FF_VENV=${FAMILIAR_FACES_VENV:-$FF_ROOT/.venv}
export FF_SCRIPT FF_ROOT FF_CACHE FF_VENV
# onnxruntime reports to its publisher otherwise, from wherever it is imported; the engine sees to it itself.
export ORT_DISABLE_TELEMETRY=1
# Compiled modules are kept, apart from the sources: compiling Home Assistant again for each process takes seconds.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX=$FF_CACHE/compiled
mkdir -p "$FF_CACHE"

say() { printf '\033[2m[%s] %s\033[0m\n' "$(basename "$0")" "$*" >&2; }
die() { printf '[%s] %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# The releases of Home Assistant that are supported, oldest first: each has a folder of locked requirements.
releases() {
  local folder
  for folder in "$FF_ROOT"/requirements/*/demo.in; do
    basename "$(dirname "$folder")"
  done | sort -V
}
release_of() { echo "$1" | cut -d. -f1,2; }
# Print the release that oldest, newest, 2026.11 or 2026.11.0 stands for.
find_release() {
  case $1 in
    oldest) releases | head -n 1 ;;
    newest) releases | tail -n 1 ;;
    *) releases | grep -xF "$(release_of "$1")" ||
      die "Home Assistant $1 is none of: oldest, newest, $(releases | paste -sd ' ')" ;;
  esac
}
# Print the folder of an environment (dev, demo, cameras) with a release. The tests are made for the oldest.
environment_of() {
  local part=$1 release=$2
  if [ "$release" != "$(find_release oldest)" ]; then
    echo "$FF_CACHE/$part-$release"
  elif [ "$part" = dev ]; then
    echo "$FF_VENV"
  else
    echo "$FF_CACHE/$part"
  fi
}

# Any Python 3 that can make a virtual environment: only to bootstrap uv.
base_python() {
  local name
  for name in python3.13 python3.12 python3.11 python3.14 python3 /usr/bin/python3; do
    if "$name" -c 'import venv, ensurepip' >/dev/null 2>&1; then
      "$name" -c 'import sys; print(sys.executable)'
      return 0
    fi
  done
  return 1
}

# Make a virtual environment hold exactly what some locked files say; quick when it already does.
# ensure_venv FOLDER LOCKED_FILE...
ensure_venv() {
  local folder=$1 uv python stamp
  shift
  uv=$("$FF_SCRIPT/uv") || return 1
  python=$("$FF_SCRIPT/python") || return 1
  stamp=$({ echo "$python"; cat "$@"; } | sha256sum | cut -d' ' -f1)
  if [ -f "$folder/.stamp" ] && [ "$(cat "$folder/.stamp")" = "$stamp" ]; then
    return 0
  fi
  say "installing $(printf '%s ' "${@##*/}")into $folder"
  rm -f "$folder/.stamp"
  [ -x "$folder/bin/python" ] && "$folder/bin/python" -c '' 2>/dev/null ||
    "$uv" venv --quiet --clear --python "$python" "$folder" || return 1
  # Syncing looks for no dependencies: a locked file is complete, and one is for its pictures alone.
  "$uv" pip sync --quiet --python "$folder/bin/python" --require-hashes "$@" || return 1
  echo "$stamp" >"$folder/.stamp"
}

# Install Debian packages when they are missing and we may; say what is missing otherwise.
# ensure_debian COMMAND_OR_FILE PACKAGE...
ensure_debian() {
  local wanted=$1
  shift
  { command -v "$wanted" || [ -e "$wanted" ] || ldconfig -p 2>/dev/null | grep -qF "$wanted"; } >/dev/null 2>&1 && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing $* with apt-get"
    { DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" ||
      { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@"; }
    } >/dev/null 2>&1 && return 0
  fi
  say "$wanted is missing (Debian and Ubuntu: sudo apt-get install $*)"
  return 1
}
