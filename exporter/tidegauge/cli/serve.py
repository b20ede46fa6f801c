"""`tidegauge serve`: the sidecar exporter beside an engine."""

import argparse
import asyncio
import signal
from collections.abc import Callable
from functools import partial

from tidegauge.cli import log
from tidegauge.cli.drift import drift
from tidegauge.cli.engine import access, discovery_schedule, engine_schedule, engine_source
from tidegauge.cli.environment import door_to, environment
from tidegauge.cli.errors import errors
from tidegauge.cli.feedback import feedback
from tidegauge.cli.forwarding import forwarding
from tidegauge.cli.inputs import input_rules
from tidegauge.cli.middleware import middleware
from tidegauge.cli.otlp import otlp
from tidegauge.cli.program import add_program_flags, complain, configuration, run_until_signal
from tidegauge.cli.push import push
from tidegauge.cli.systemd import Notifier, our_notifier
from tidegauge.cli.traffic import tap, traffic
from tidegauge.cli.vectors import vectors
from tidegauge.cli.web_rules import rules_file
from tidegauge.config import ConfigError, ServeConfig
from tidegauge.config.gpu import GpuConfig
from tidegauge.config.probe import DEFAULT_MODULE, ModuleConfig, ProbeConfig
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part, Plan, PlanError, ProbeModule, ProbePlan, Sidecar
from tidegauge.sources.gpu.restarts import Limits
from tidegauge.sources.gpu.settings import Settings
from tidegauge.sources.gpu.source import START_SECONDS, GpuSource
from tidegauge.web import RulesFile

NAME = "serve"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's flags; each overrides a key of the file."""
    parser = subparsers.add_parser(NAME, help="export GPU, engine, traffic and drift metrics")
    add_program_flags(parser)
    parser.add_argument("--engine", metavar="URL", help="base URL of the engine")
    parser.add_argument(
        "--traffic.listen-address",
        dest="traffic_address",
        metavar="HOST:PORT",
        help="where the traffic tap takes requests",
    )
    parser.add_argument(
        "--errors.stdin",
        dest="errors_logs",
        action="store_const",
        const=[{"stdin": True}],
        help="read the engine's log from standard input: engine 2>&1 | tidegauge serve",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 after a signal, 1 on a failure, 2 on a mistake in the configuration."""
    rules, mistakes = rules_file(arguments.web_config_file)
    try:
        first = _configured_plan(arguments)
    except PlanError as error:
        complain(NAME, *error.lines, *mistakes)
        return 2
    if mistakes:
        complain(NAME, *mistakes)
        return 2
    if arguments.config_check:
        return 0
    notifier = our_notifier()
    program = _program(first, partial(_configured_plan, arguments), rules, notifier)
    return run_until_signal(NAME, program, notifier)


async def _program(
    first: Plan, replan: Callable[[], Plan], rules: RulesFile | None, notifier: Notifier
) -> None:
    sidecar = Sidecar(replan, rules_file=rules, tell=notifier.tell)
    loop, reloads = asyncio.get_running_loop(), set[asyncio.Task[tuple[str, ...]]]()

    def reload() -> None:
        task = loop.create_task(sidecar.reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)
    await sidecar.run(first)


def _configured_plan(arguments: argparse.Namespace) -> Plan:
    """What the flags and the file ask for now; lines are logged from then on as they say.

    Raises:
        PlanError: one line per mistake.
    """
    overrides = {
        "serve.engine.url": arguments.engine,
        "serve.traffic.listen_address": arguments.traffic_address,
        "serve.errors.logs": arguments.errors_logs,
    }
    try:
        config = configuration(arguments, overrides)
    except ConfigError as error:
        raise PlanError(error.lines) from None
    asked = plan(config.serve)
    log.configure(config.log.level, config.log.format)
    return asked


def plan(config: ServeConfig) -> Plan:
    """What `serve` runs for a configuration. A part is rebuilt when what it is made from changes.

    Raises:
        PlanError: one line per mistake.
    """
    parts = (
        _gpu(config.gpu),
        _engine(config),
        _environment(config) if config.environment.enabled else None,
        forwarding(config.forwarding),
        traffic(config.traffic) if config.traffic else None,
        push(config.push, config.traffic) if config.push else None,
        feedback(config.feedback, config.traffic) if config.feedback else None,
        otlp(config.otlp, config.traffic),
        vectors(config.traffic) if config.traffic else None,
        drift(config.drift, config.traffic) if config.drift else None,
        middleware(config.traffic) if config.traffic else None,
        errors(config.errors, config.forwarding) if config.errors else None,
    )
    return Plan(
        addresses=config.listen_address,
        parts=tuple(part for part in parts if part),
        tap=tap(config.traffic, config.engine) if config.traffic else None,
        probe=_probe(config.probe) if config.probe else None,
        inputs=input_rules(config.inputs),
    )


def _gpu(config: GpuConfig) -> Part | None:
    settings = Settings(
        fast_seconds=config.fast_interval,
        medium_seconds=config.medium_interval,
        slow_seconds=config.slow_interval,
        gpm_seconds=config.gpm_interval if config.gpm else None,
        ring=config.ring,
        processes=config.processes,
        window_seconds=config.window,
        budget_ratio=config.driver_budget_ratio,
        timeout_seconds=config.timeout,
    )
    limits = Limits(hung_seconds=config.hung_limit, longest_seconds=config.restart_backoff_max)

    def make(around: Around) -> Made:
        before = around.sources.get("gpu")
        # The source gives up on its child by itself; ours is the outer bound.
        source = GpuSource(
            settings, limits, before=before if isinstance(before, GpuSource) else None
        )
        return Made(Schedule(source, settings.publish_seconds, 2 * START_SECONDS))

    return Part("gpu", config, make) if config.enabled else None


def _engine(config: ServeConfig) -> Part | None:
    """The engine that is configured, or whichever is found."""
    engine, discovery = config.engine, config.discovery
    made_from = _engine_made_from(config)
    if engine:
        return Part("engine", made_from, lambda _: Made(engine_schedule(engine)))
    if not discovery.enabled:
        return None
    taken = _taken(config)
    return Part("engine", made_from, lambda _: Made(discovery_schedule(discovery, taken=taken)))


def _engine_made_from(config: ServeConfig) -> object:
    return config.engine or (config.discovery, _taken(config))


def _taken(config: ServeConfig) -> tuple[str, ...]:
    """Addresses that are ours, where no engine can be."""
    tapped = config.traffic.listen_address if config.traffic else None
    return (*config.listen_address, *((tapped,) if tapped else ()))


def _environment(config: ServeConfig) -> Part:
    configured = access(config.engine, config.engine.url) if config.engine else None

    def make(around: Around) -> Made:
        gpu, engine = around.sources.get("gpu"), around.sources.get("engine")
        door = door_to(engine, configured) if engine else None
        latest = gpu.latest if isinstance(gpu, GpuSource) else tuple
        return Made(environment(config.environment, gpu=latest, engine=door))

    # With what the sources are made from that it looks at.
    return Part("environment", (config.environment, config.gpu, _engine_made_from(config)), make)


def _probe(config: ProbeConfig) -> ProbePlan:
    modules = {DEFAULT_MODULE: ModuleConfig(), **config.modules}
    return ProbePlan(
        made_from=config,
        targets=frozenset(config.targets),
        modules={
            name: ProbeModule(partial(engine_source, module), 2 * module.timeout)
            for name, module in modules.items()
        },
        default_module=DEFAULT_MODULE,
        max_reads=config.max_reads,
    )
