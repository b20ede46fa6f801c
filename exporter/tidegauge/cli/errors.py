"""Errors of the engine's log, put together from configuration."""

import sys
import time
from functools import cache

from tidegauge.cli.forwarding import teller
from tidegauge.config.errors import ErrorsConfig
from tidegauge.config.forwarding import ForwardingConfig
from tidegauge.errors.patterns import Patterns
from tidegauge.errors.tally import Limits, Tally
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part, PlanError
from tidegauge.sources.logs.pipe import Pipe
from tidegauge.sources.logs.source import LogSource
from tidegauge.web import error_patterns

_PAGE = "/v1/error-patterns"
_TIMEOUT_SECONDS = 5.0


def errors(config: ErrorsConfig, forwarding: ForwardingConfig) -> Part:
    """The part that follows the engine's log. Patterns go to forwarding too, where there is one.

    Raises:
        PlanError: standard input is to be read, and there is none.
    """

    def make(around: Around) -> Made:
        source = LogSource(
            [log.path for log in config.logs if log.path is not None],
            _standard_input() if any(log.stdin for log in config.logs) else None,
            from_start=config.from_start,
            lines_per_second=config.max_lines_per_second,
            patterns=Patterns(config.words),
            tally=Tally(Limits(config.max_patterns, config.learning), time.time()),
            tell=teller(around),
        )
        page = error_patterns(lambda: source.listed, clock=time.time)
        schedule = Schedule(source, config.interval, _TIMEOUT_SECONDS)
        return Made(schedule, pages={_PAGE: page})

    if sys.stdin is None and any(log.stdin for log in config.logs):
        raise PlanError(["serve.errors.logs: standard input is closed; give it, or read a file"])
    return Part("errors", (config, forwarding), make)


@cache
def _standard_input() -> Pipe:
    """The one that the process has: once we read it we go on, or who writes to it would stop."""
    return Pipe(sys.stdin.fileno())
