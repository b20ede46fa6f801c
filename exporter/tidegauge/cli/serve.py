"""`tidegauge serve`: the sidecar exporter beside an engine."""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tidegauge.cli.environment import dialect_of, environment
from tidegauge.cli.program import add_config_flags, complain, configured, run_until_signal
from tidegauge.config import ServeConfig
from tidegauge.config.engine import EngineConfig
from tidegauge.config.serve import DriftConfig, TrafficConfig
from tidegauge.drift.monitor import DriftMonitor
from tidegauge.drift.reference import DriftReferenceError, Reference
from tidegauge.drift.reference_text import load as load_reference
from tidegauge.drift.window import WindowLimits
from tidegauge.engines import engine_named
from tidegauge.pipeline import Schedule
from tidegauge.samples import Sample
from tidegauge.server import Door, serve
from tidegauge.sources.drift import DriftSource
from tidegauge.sources.engine import EngineSource
from tidegauge.sources.environment import Asking, EngineDoor
from tidegauge.sources.gpu.source import GpuSource
from tidegauge.sources.traffic import TrafficSource
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.ledger import Ledger
from tidegauge.traffic.proxy import Tap

NAME = "serve"

_MEMORY_INTERVAL_SECONDS = 1.0  # a source that reads our own memory cannot be a burden


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's flags; each overrides a key of the file."""
    parser = subparsers.add_parser(NAME, help="export GPU, engine, traffic and drift metrics")
    add_config_flags(parser)
    parser.add_argument("--web.listen-address", dest="listen_address", metavar="HOST:PORT")
    parser.add_argument("--engine", metavar="URL", help="base URL of the engine")
    parser.add_argument("--traffic.listen-address", dest="traffic_address", metavar="HOST:PORT")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 after a signal, 1 on a failure, 2 on a mistake in the configuration."""
    overrides = {
        "serve.listen_address": arguments.listen_address,
        "serve.engine.url": arguments.engine,
        "serve.traffic.listen_address": arguments.traffic_address,
    }
    config = configured(arguments, overrides)
    if config is None:
        return 2
    try:
        schedules, door = _parts(config.serve)
    except DriftReferenceError as error:
        complain(NAME, f"serve.drift.references: {error}")
        return 2
    except ValueError as error:
        complain(NAME, str(error))
        return 2
    if arguments.config_check:
        return 0
    return run_until_signal(NAME, serve(schedules, address=config.serve.listen_address, door=door))


def _parts(config: ServeConfig) -> tuple[list[Schedule], Door | None]:
    schedules: list[Schedule] = []
    gpu_samples: Callable[[], Sequence[Sample]] = tuple
    if config.gpu.enabled:
        gpu = GpuSource(timeout_seconds=config.gpu.timeout)
        gpu_samples = gpu.latest
        # The source gives up on each device by itself; ours is the outer bound.
        schedules.append(Schedule(gpu, config.gpu.interval, 3 * config.gpu.timeout))
    if config.engine:
        schedules.append(_engine(config.engine))
    if config.environment.enabled:
        schedules.append(_environment(config, schedules, gpu_samples))
    drift = _drift(config.drift, config.traffic) if config.drift else None
    if config.drift and drift:
        schedules.append(Schedule(drift, config.drift.interval, 1))
    door = None
    if config.traffic:
        traffic, door = _traffic(config.traffic, config.engine, drift.observe if drift else None)
        schedules.append(traffic)
    return schedules, door


def _engine(config: EngineConfig) -> Schedule:
    pinned = None if config.dialect == "auto" else engine_named(config.dialect)
    source = EngineSource(
        config.url,
        model=config.model,
        timeout_seconds=config.timeout,
        engine=pinned,
        max_bytes=config.max_bytes,
    )
    return Schedule(source, config.interval, 2 * config.timeout)


def _environment(
    config: ServeConfig, others: Sequence[Schedule], gpu: Callable[[], Sequence[Sample]]
) -> Schedule:
    door = None
    if config.engine:
        source = next(one.source for one in others if one.source.name == "engine")
        door = EngineDoor(dialect_of(source), Asking(config.engine.url))
    return environment(config.environment, gpu=gpu, engine=door)


def _drift(config: DriftConfig, traffic: TrafficConfig | None) -> DriftSource:
    limits = WindowLimits(config.window_requests, config.window, config.min_requests)
    references = [_reference(path) for path in config.references]
    measured = traffic.models if traffic else ()
    for path, reference in zip(config.references, references, strict=True):
        if reference.model not in measured:
            raise DriftReferenceError(
                f"{path}: is of model {reference.model!r}, which serve.traffic.models does not "
                f"name ({', '.join(measured) or 'none'}); its requests would never be scored"
            )
    return DriftSource(DriftMonitor(references, limits), clock=time.monotonic)


def _reference(path: Path) -> Reference:
    try:
        return load_reference(path.read_bytes())
    except (OSError, DriftReferenceError) as error:
        raise DriftReferenceError(f"{path}: {error}") from None


def _traffic(
    config: TrafficConfig, engine: EngineConfig | None, observe: Callable[[Exchange], None] | None
) -> tuple[Schedule, Door]:
    upstream = config.upstream or (engine.url if engine else None)
    if upstream is None:
        raise ValueError("serve.traffic.upstream: is missing, and there is no serve.engine.url")
    ledger = Ledger(config.models)

    def record(exchange: Exchange) -> None:
        ledger.add(exchange)
        if observe:
            observe(exchange)

    tap = Tap(
        upstream,
        record,
        clock=time.monotonic,
        models=frozenset(config.models),
        connect_seconds=config.connect_timeout,
    )
    source = TrafficSource(ledger, started=lambda: tap.started, in_flight=lambda: tap.in_flight)
    return Schedule(source, _MEMORY_INTERVAL_SECONDS, 1), Door(tap, config.listen_address)
