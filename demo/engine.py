"""One replica's engine: llama.cpp's own HTTP server, on loopback, held to a CPU allowance.

`python -m demo.engine --model FILE --port PORT` serves until SIGTERM or SIGINT and then ends at
once: whoever stops it has drained it before. Its standard error carries llama.cpp's errors only,
for its warnings may quote a request.
"""

import argparse
import ctypes
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from demo.allowance import AllowanceError, limit_cpu

_LOOPBACK = "127.0.0.1"
_LOG_ERRORS_ONLY = 1
# An open stream and a waiting request each keep one thread of the server; with its default of ten,
# a burst leaves none to answer /health, and a busy replica is taken for a dead one.
_HTTP_THREADS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """What an engine is started with; `context` is in tokens, for each slot."""

    model: Path
    port: int
    alias: str = "demo"
    slots: int = 4
    context: int = 1024
    cores: float = 0.4
    allowance: Literal["auto", "cgroup", "duty", "none"] = "auto"


class Server(Protocol):
    """llama.cpp's server: it serves for as long as this object lives."""

    listening_address: str


def main(arguments: list[str] | None = None) -> int:
    options = _parse(arguments)
    if not options.model.is_file():
        print(f"--model {options.model}: no such file", file=sys.stderr)
        return 2
    try:
        kept_by = _limit(options)
    except AllowanceError as error:
        print(f"--allowance {options.allowance}: {error}", file=sys.stderr)
        return 2
    # Blocked before any thread starts, so that every thread leaves them to sigwait below.
    endings = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, endings)
    try:
        server = _serve(options)
    except (ImportError, OSError, RuntimeError) as error:
        print(f"llama.cpp did not start: {error}", file=sys.stderr)
        return 1
    print(
        f"engine {options.alias}: {server.listening_address}, {options.slots} slots, {kept_by}",
        flush=True,
    )
    signal.sigwait(endings)
    # The server has no stop: deleting it waits half a minute for open streams.
    os._exit(0)


def _parse(arguments: list[str] | None) -> EngineOptions:
    defaults = EngineOptions(model=Path(), port=0)
    parser = argparse.ArgumentParser(prog="python -m demo.engine", description="llama.cpp's server")
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--port", type=int, required=True, help="loopback port")
    parser.add_argument("--alias", default=defaults.alias, help="the model's name in answers")
    parser.add_argument("--slots", type=int, default=defaults.slots, help="requests at a time")
    parser.add_argument("--context", type=int, default=defaults.context, help="tokens a slot")
    parser.add_argument("--cpu", type=float, dest="cores", default=defaults.cores, help="cores")
    parser.add_argument(
        "--allowance", choices=("auto", "cgroup", "duty", "none"), default=defaults.allowance
    )
    return EngineOptions(**vars(parser.parse_args(arguments)))


def _limit(options: EngineOptions) -> str:
    if options.allowance == "none":
        return "no CPU limit"
    return f"{options.cores} core by {limit_cpu(options.cores, mechanism=options.allowance)}"


def _serve(options: EngineOptions) -> Server:
    _load_openmp()
    import xllamacpp  # noqa: PLC0415 - cannot be loaded without the library above

    params = xllamacpp.CommonParams()
    params.model.path = str(options.model)
    params.model_alias = {options.alias}
    params.hostnames = [_LOOPBACK]
    params.port = options.port
    params.n_parallel = options.slots
    params.n_ctx = options.context * options.slots
    params.n_threads_http = _HTTP_THREADS
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.endpoint_metrics = True
    params.endpoint_slots = False
    params.ui = False
    params.offline = True
    params.fit_params = False
    params.cache_ram_mib = 0
    params.verbosity = _LOG_ERRORS_ONLY
    server: Server = xllamacpp.Server(params)
    return server


def _load_openmp() -> None:
    """Load the OpenMP runtime that scripts/tools.sh fetches where the system has none."""
    tools = Path(__file__).resolve().parents[1] / ".tools"
    for library in tools.glob("debian/usr/lib/*/libgomp.so.1"):
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


if __name__ == "__main__":
    sys.exit(main())
