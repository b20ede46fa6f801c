#!/usr/bin/env bash
# venv.sh DIR LOCK   makes the virtual environment DIR anew with exactly what LOCK pins.
# PYTHON names the interpreter; without it the first one that is new enough is taken.
set -euo pipefail

oldest=3.11
dir=$1 lock=$2

main() {
  local python
  python=$(interpreter)
  echo "setup: $dir with $("$python" --version) and what $lock pins"
  rm -rf "$dir"
  if ! "$python" -m venv "$dir" >/dev/null 2>&1; then
    rm -rf "$dir"
    stuck "$python cannot make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv"
  fi
  "$dir/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$lock"
}

interpreter() {
  local name candidates=(python3 python3.14 python3.13 python3.12 python3.11)
  if [[ -n ${PYTHON:-} ]]; then candidates=("$PYTHON"); fi
  for name in "${candidates[@]}"; do
    if new_enough "$name"; then
      type -P "$name"
      return 0
    fi
  done
  name=${PYTHON:-python3}
  stuck "no Python $oldest or newer was found ($name: $(version "$name")); install one, or say PYTHON=/path/to/it"
}

new_enough() {
  type -P "$1" >/dev/null && "$1" -c "import sys; sys.exit(sys.version_info < (${oldest/./, }))" 2>/dev/null
}

version() { "$1" --version 2>/dev/null || echo "not there"; }

stuck() {
  echo "setup: $1" >&2
  exit 1
}

main
