"""`tidegauge control`: keeps pools at the size that their demand asks for, and watches signals."""

import argparse
import asyncio
import logging
import signal
from collections.abc import Callable
from functools import partial

from tidegauge.autoscale.policy import Policy
from tidegauge.cli import log
from tidegauge.cli.program import add_program_flags, complain, configuration, run_until_signal
from tidegauge.cli.prometheus import access
from tidegauge.cli.systemd import our_notifier
from tidegauge.cli.watching import watching
from tidegauge.cli.web_rules import rules_file
from tidegauge.config import ConfigError, ControlConfig, PoolConfig
from tidegauge.control.demand import DemandQuery
from tidegauge.control.fleet import face
from tidegauge.control.loop import PoolLoop
from tidegauge.control.pools.pool import PoolError
from tidegauge.control.pools.process import ProcessPool
from tidegauge.control.pools.spec import Part, ReplicaSpec
from tidegauge.control.routes.haproxy import HaproxyRoute
from tidegauge.promql.client import Prometheus
from tidegauge.web import Front, Rules, RulesFile

logger = logging.getLogger(__name__)

NAME = "control"

# Rounds may be late by a few slow answers; what is later has missed something.
_GAP_ROUNDS = 3
_GAP_SECONDS = 30.0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's flags."""
    parser = subparsers.add_parser(NAME, help="resize replica pools and watch signals by PromQL")
    add_program_flags(parser)
    parser.add_argument("--dry-run", action="store_true", help="decide, and act on nothing")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 after a signal, 1 on a failure, 2 on a mistake in the configuration."""
    rules, mistakes = rules_file(arguments.web_config_file)
    try:
        config = configuration(arguments, {})
    except ConfigError as error:
        complain(NAME, *error.lines, *mistakes)
        return 2
    if config.control is None:
        missing = (
            "control: is missing; say which Prometheus to ask, which pools to keep, what to watch"
        )
        complain(NAME, missing, *mistakes)
        return 2
    if mistakes:
        complain(NAME, *mistakes)
        return 2
    if arguments.config_check:
        return 0
    log.configure(config.log.level, config.log.format)
    notifier = our_notifier()
    ready = partial(notifier.tell, "ready")
    program = _program(config.control, rules, dry_run=arguments.dry_run, ready=ready)
    return run_until_signal(NAME, program, notifier)


async def _program(
    config: ControlConfig, rules: RulesFile | None, *, dry_run: bool, ready: Callable[[], None]
) -> None:
    prometheus = Prometheus(access(config.prometheus))
    pools = [process_pool(pool) for pool in config.pools]
    loops = [
        _loop(pool, process, prometheus, interval_seconds=config.interval, dry_run=dry_run)
        for pool, process in zip(config.pools, pools, strict=True)
    ]
    watched = watching(config, prometheus)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _keep_on)
    shown = face(loops, watched.signals if watched else None, own=rules.samples if rules else tuple)
    front = Front(shown, rules.rules if rules else Rules())
    try:
        await front.start(config.listen_address)
        ready()
        async with asyncio.TaskGroup() as group:
            if rules:
                group.create_task(rules.watch(front))
            for loop in loops:
                group.create_task(loop.run())
            if watched:
                group.create_task(watched.signals.run())
    except* PoolError as errors:
        raise OSError("; ".join(str(error) for error in errors.exceptions)) from None
    finally:
        await front.close()
        await prometheus.close()
        if watched:
            await watched.close()
        for process in pools:
            await process.close()


def _keep_on() -> None:
    """Who sends SIGHUP expects a reload; to end would leave pools to nobody."""
    logger.warning(
        "configuration not reloaded",
        extra={"error": "tidegauge control reads it when it starts; restart it, replicas serve on"},
    )


def process_pool(config: PoolConfig) -> ProcessPool:
    """The process pool that a pool's configuration describes."""
    process = config.process
    spec = ReplicaSpec(
        pool=config.name,
        ports=process.ports,
        serve=process.serve,
        scrape=process.scrape,
        parts=tuple(
            Part(part.name, part.command, dict(part.env), part.ready, part.restarts)
            for part in process.parts
        ),
        start_timeout_seconds=process.start_timeout,
        unhealthy_timeout_seconds=process.unhealthy_timeout,
        kill_grace_seconds=process.kill_grace,
        backup=process.backup or "",
    )
    return ProcessPool(spec, process.run_dir)


def _loop(
    config: PoolConfig,
    pool: ProcessPool,
    prometheus: Prometheus,
    *,
    interval_seconds: float,
    dry_run: bool,
) -> PoolLoop:
    scaling = config.scaling
    policy = Policy(
        minimum=config.replicas.min,
        maximum=config.replicas.max,
        capacity=scaling.capacity,
        tolerance=scaling.tolerance,
        up_stabilization_seconds=scaling.up_stabilization,
        down_stabilization_seconds=scaling.down_stabilization,
        gap_seconds=_GAP_ROUNDS * interval_seconds + _GAP_SECONDS,
    )
    query = DemandQuery(
        prometheus, pool=config.name, demand=scaling.demand, reporting=scaling.reporting
    )
    route = HaproxyRoute(
        config.haproxy.socket,
        config.haproxy.backend,
        config.name,
        config.haproxy.check_interval,
        config.haproxy.timeout,
    )
    return PoolLoop(
        config.name,
        policy=policy,
        demand=query,
        pool=pool,
        route=route,
        interval_seconds=interval_seconds,
        drain_cap_seconds=config.haproxy.drain_cap,
        dry_run=dry_run,
    )
