"""From `control.signals` to the signals that are followed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tidegauge.catalog.default_signals import DEFAULT_SIGNALS
from tidegauge.cli.prometheus import access
from tidegauge.config import ControlConfig
from tidegauge.config.signals import SignalConfig, SignalsConfig
from tidegauge.control.signals.bench import Bench
from tidegauge.control.signals.history import History
from tidegauge.control.signals.lanes import Lanes
from tidegauge.control.signals.loop import Shared
from tidegauge.control.signals.room import Room
from tidegauge.control.signals.signal import Signal
from tidegauge.control.signals.signals import Signals
from tidegauge.control.signals.unanswered import Unanswered
from tidegauge.promql.client import Prometheus
from tidegauge.thresholds.tracker import Direction, TrackerSettings

_LIVE_QUERIES = 4  # at a time; each is one point


@dataclass(frozen=True, slots=True)
class Watched:
    """The signals, and the connection that their past is read over; `close()` it."""

    signals: Signals
    history: Prometheus

    async def close(self) -> None:
        """Close connections, and drop work that has not begun."""
        await self.history.close()
        self.signals.close()


def watching(config: ControlConfig, prometheus: Prometheus) -> Watched | None:
    """The signals of a configuration, if it has any."""
    if config.signals is None:
        return None
    backfill = config.signals.backfill
    slow = replace(access(config.prometheus), timeout_seconds=backfill.timeout)
    history, bench = Prometheus(slow), Bench()
    shared = Shared(
        prometheus=prometheus,
        history=History(history, Lanes(backfill.concurrency, rest_ratio=1.0), bench),
        live=Lanes(_LIVE_QUERIES),
        bench=bench,
        room=Room(config.signals.max_series),
        unanswered=Unanswered(),
        labels=config.signals.labels,
        offset_seconds=config.signals.query_offset,
    )
    return Watched(Signals(tuple(signals(config.signals)), shared), history)


def signals(config: SignalsConfig) -> Iterator[Signal]:
    """Default signals with what is said of them, then those of one's own."""
    own = {each.name: each for each in config.custom}
    defaults = {each.name: each for each in DEFAULT_SIGNALS}
    for name in dict.fromkeys((*(defaults if config.defaults else ()), *own)):
        default, said = defaults.get(name), own.get(name)
        expr = (said and said.expr) or (default.expr if default else "")
        direction = (said and said.direction) or (default.direction if default else "both")
        yield Signal(name, expr, _settings(config, said, direction))


def _settings(
    config: SignalsConfig, own: SignalConfig | None, direction: Direction
) -> TrackerSettings:
    return TrackerSettings(
        detector=(own and own.detector) or config.detector,
        step_seconds=(own and own.interval) or config.interval,
        history_seconds=(own and own.history) or config.history,
        refresh_seconds=config.refresh,
        alarms_per_week=(own and own.budget) or config.budget,
        direction=direction,
        min_points=config.min_points,
    )
