"""One signal through the product's own Tracker: what the picture of it shows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from docs.drawing.traces import Points, Span
from tidegauge.thresholds.budget import WEEK_SECONDS
from tidegauge.thresholds.tracker import Direction, Judged, Tracker, TrackerSettings

HISTORY_SECONDS = 28 * 86400.0
REFRESH_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class Panel:
    """A signal, its band and its marks, and what to shade behind them."""

    title: str
    unit: str
    judged: Sequence[Judged]
    said: str
    spans: Sequence[Span] = field(default=())

    @property
    def marks(self) -> list[Judged]:
        return [judged for judged in self.judged if judged.alarm]


def followed(
    title: str,
    points: Points,
    *,
    unit: str,
    step_seconds: float,
    detector: str,
    alarms_per_week: float,
    direction: Direction = "both",
    history_seconds: float = HISTORY_SECONDS,
    refresh_seconds: float = REFRESH_SECONDS,
    since: float = -math.inf,
    spans: Sequence[Span] = (),
) -> Panel:
    """Follow the signal; points up to `since` are history, read back as after a restart."""
    settings = TrackerSettings(
        detector, step_seconds, history_seconds, refresh_seconds, alarms_per_week, direction
    )
    tracker = Tracker(settings, name=title)
    history = [(at, value) for at, value in points if at <= since and value is not None]
    if history:
        tracker.rebuild(history, until=since)
    judged = [tracker.take(at, value) for at, value in points if at > since]
    return Panel(title, unit, judged, _said(tracker, judged, settings), spans)


def _said(tracker: Tracker, judged: Sequence[Judged], settings: TrackerSettings) -> str:
    known = sum(one.score is not None for one in judged) * settings.step_seconds
    marks = f"{tracker.alarms} mark{'s' if tracker.alarms != 1 else ''}"
    said = f"{settings.detector}, {settings.direction}; {marks} in {_length(known)}"
    found = tracker.calibration
    if found is not None and math.isfinite(found.threshold):
        said += f"; back-test on {_length(found.weeks * WEEK_SECONDS)}: {found.fired}"
    return said


def _length(seconds: float) -> str:
    return f"{seconds / 86400:.1f} days" if seconds > 86400 / 4 else f"{seconds / 60:.0f} minutes"
