"""All signals that are watched, and what the controller shows of them."""

import asyncio
import logging
import math
from collections.abc import Iterator, Sequence

from tidegauge.catalog import Metric
from tidegauge.catalog import signals as catalog
from tidegauge.control.signals.followed import Verdict
from tidegauge.control.signals.loop import Shared, SignalLoop
from tidegauge.control.signals.signal import Signal
from tidegauge.samples import Sample
from tidegauge.thresholds.budget import WEEK_SECONDS
from tidegauge.web import State

logger = logging.getLogger(__name__)

_OF_SERIES = (
    catalog.VALUE,
    catalog.UPPER,
    catalog.LOWER,
    catalog.SCORE,
    catalog.AGE,
    catalog.ALARMS,
    catalog.BUDGET,
    catalog.BACKTEST,
    catalog.HISTORY,
)


class Signals:
    """Runs the loops of all signals."""

    def __init__(self, signals: Sequence[Signal], shared: Shared) -> None:
        self.loops = tuple(SignalLoop(signal, shared) for signal in signals)
        self._shared = shared
        self._metrics = {metric: catalog.labelled(metric, shared.labels) for metric in _OF_SERIES}

    async def run(self) -> None:
        """Follow all signals until cancelled."""
        async with asyncio.TaskGroup() as group:
            for loop in self.loops:
                group.create_task(loop.run(self._say_learned))

    def close(self) -> None:
        """Drop work that has not begun."""
        self._shared.bench.close()

    @property
    def learned(self) -> int:
        """Signals whose past is known."""
        return sum(loop.learned for loop in self.loops)

    def samples(self) -> Iterator[Sample]:
        """Every series of the signals."""
        yield Sample(catalog.SIGNALS, len(self.loops))
        yield Sample(catalog.BACKFILLING, len(self.loops) - self.learned)
        for reason, count in self._shared.unanswered.counts.items():
            yield Sample(catalog.QUERY_ERRORS, count, (reason,))
        now = self._shared.wall_clock()
        for loop in self.loops:
            yield from self._of_loop(loop, now)

    def state(self) -> State:
        """One line for all of them."""
        up = sum(bool(loop.up) for loop in self.loops)
        note = f"{up} of {len(self.loops)} answered, {self.learned} with their history"
        return State("signals", well=up == len(self.loops), note=note)

    def _of_loop(self, loop: SignalLoop, now: float) -> Iterator[Sample]:
        name = loop.signal.name
        if loop.up is not None:
            yield Sample(catalog.UP, float(loop.up), (name,))
        for reason, series in loop.refused.items():
            yield Sample(catalog.REFUSED, series, (name, reason))
        for key, at in loop.seen.items():
            labels = (loop.signal.settings.detector, name, *key)
            age, verdict = max(0.0, now - at), loop.verdicts.get(key)
            if age <= loop.signal.settings.refresh_seconds:
                yield Sample(self._metrics[catalog.AGE], age, labels)
            if age <= loop.stale_seconds and verdict:
                for metric, value in _of_series(loop, verdict):
                    if value is not None and math.isfinite(value):
                        yield Sample(self._metrics[metric], value, labels)

    def _say_learned(self, loop: SignalLoop) -> None:
        verdicts = list(loop.verdicts.values())
        known = [verdict.calibration for verdict in verdicts if verdict.calibration]
        details = {
            "signal": loop.signal.name,
            "series": len(verdicts),
            "budget_per_week": loop.signal.settings.alarms_per_week,
            "would_have_fired": sum(each.fired for each in known),
            "series_weeks": sum(each.weeks for each in known),
            "progress": f"{self.learned}/{len(self.loops)}",
        }
        logger.info("history read", extra=details)


def _of_series(loop: SignalLoop, verdict: Verdict) -> Iterator[tuple[Metric, float | None]]:
    yield catalog.VALUE, verdict.value
    yield catalog.BUDGET, loop.signal.settings.alarms_per_week
    yield catalog.ALARMS, verdict.alarms
    if verdict.judged:
        yield catalog.UPPER, verdict.judged.upper
        yield catalog.LOWER, verdict.judged.lower
        yield catalog.SCORE, verdict.judged.score
    if verdict.calibration:
        yield catalog.BACKTEST, verdict.calibration.fired
        yield catalog.HISTORY, verdict.calibration.weeks * WEEK_SECONDS
