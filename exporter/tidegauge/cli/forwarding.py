"""The forwarding of errors, put together from configuration."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from tidegauge.cli.extras import need
from tidegauge.config.forwarding import ForwardingConfig, SentryConfig
from tidegauge.errors.event import ErrorEvent
from tidegauge.forwarding.forwarder import Forwarder
from tidegauge.forwarding.gathering import Gathering
from tidegauge.forwarding.sink import Sink
from tidegauge.forwarding.standard_output import StandardOutput
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part, PlanError
from tidegauge.sources.forwarding import ForwardingSource

NAME = "forwarding"

_FLUSH_SECONDS = 1.0
_LONGEST_FLUSH_SECONDS = 5.0


def forwarding(config: ForwardingConfig) -> Part | None:
    """What hands errors on, where it is asked for. Parts that find errors come after it.

    Raises:
        PlanError: Sentry is asked for, and can't be had.
    """
    if not (config.sentry or config.ecs):
        return None
    dsn = _dsn(config.sentry) if config.sentry else None

    def make(_: Around) -> Made:
        forwarder = Forwarder(
            tuple(_sinks(config, dsn)), Gathering(config.interval), clock=time.monotonic
        )
        source = ForwardingSource(forwarder)
        return Made(Schedule(source, _FLUSH_SECONDS, _LONGEST_FLUSH_SECONDS), forwarder.observe)

    return Part(NAME, (config, dsn), make)


def teller(around: Around) -> Callable[[ErrorEvent], None] | None:
    """Where a part tells of errors that it finds; None where nobody wants to know."""
    source = around.sources.get(NAME)
    return source.forwarder.tell if isinstance(source, ForwardingSource) else None


def _dsn(config: SentryConfig) -> str:
    need("sentry_sdk", "sentry", "serve.forwarding.sentry")
    from tidegauge.forwarding.sentry import DsnError, checked_dsn  # noqa: PLC0415  # an extra

    try:
        return checked_dsn(config.dsn_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, DsnError) as error:
        why = "cannot be read" if isinstance(error, OSError | UnicodeDecodeError) else error
        line = f"serve.forwarding.sentry.dsn_file: {str(config.dsn_file)!r}: {why}"
        raise PlanError([line]) from None


def _sinks(config: ForwardingConfig, dsn: str | None) -> list[Sink]:
    sinks: list[Sink] = []
    if config.ecs:
        sinks.append(StandardOutput(sys.stdout.fileno(), lambda: datetime.now(UTC)))
    if config.sentry and dsn:
        from tidegauge.forwarding.sentry import Sentry  # noqa: PLC0415  # an extra

        sentry = config.sentry
        sinks.append(Sentry(dsn, environment=sentry.environment, sample_ratio=sentry.sample_ratio))
    return sinks
