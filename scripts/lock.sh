#!/usr/bin/env bash
# lock.sh PYTHON   writes requirements/{dev,runtime,demo}.txt from pyproject.toml, and peers.txt and drift-peers.txt from their .in. UPGRADE=1 takes the newest of everything.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A mirror that this machine is set to would put its own address or its own builds' hashes into the lock.
unset PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS
export PIP_CONFIG_FILE=/dev/null CUSTOM_COMPILE_COMMAND="make lock"

compile() {
  "$python" -m piptools compile --quiet --no-config --generate-hashes --strip-extras --allow-unsafe \
    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host ${UPGRADE:+--upgrade} "$@"
}

python=$1
compile --all-extras --all-build-deps --output-file requirements/dev.txt pyproject.toml
# What the image has: nothing in it needs another protobuf.
compile --extra otlp --extra sentry --constraint requirements/dev.txt --output-file requirements/runtime.txt pyproject.toml
compile --extra demo --constraint requirements/dev.txt --output-file requirements/demo.txt pyproject.toml
# What the benchmarks measure beside us, in environments of their own.
compile --output-file requirements/peers.txt requirements/peers.in
compile --output-file requirements/drift-peers.txt requirements/drift-peers.in

if grep -nE '(file|https?)://' requirements/*.txt; then
  echo "lock: an address got into the lock" >&2
  exit 1
fi
