"""Our detectors on a file: each row's score, and the alarms of the product that follows it."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.judging.corpus import Series
from benchmarks.judging.nab_score import Scores
from tidegauge.thresholds.grid import Grid
from tidegauge.thresholds.peak_hold import HELD_POINTS, PeakHold
from tidegauge.thresholds.registry import DETECTORS
from tidegauge.thresholds.tracker import Tracker, TrackerSettings

DAY_SECONDS = 86400.0
HISTORY_SECONDS = 28 * DAY_SECONDS  # of the product; at 5 minutes 8,064 points
HISTORY_POINTS = 10_000
BUDGET = 4.0  # alarms a week, the product's default


def scores(detector: str, series: Series) -> Scores:
    """Of each row, in the order of the file and at its stamp; 0 where there is none."""
    judge = DETECTORS[detector](Grid(series.step_seconds, HISTORY_POINTS))
    times = np.maximum.accumulate(series.times)  # a detector's time does not go back
    return np.array(
        [
            judge.update(value, now).score or 0.0
            for value, now in zip(series.values.tolist(), times.tolist(), strict=True)
        ]
    )


def usual_threshold(detector: str) -> float | None:
    """The score at which the detector says that it usually alarms, if it says so."""
    return DETECTORS[detector](Grid(300.0, HISTORY_POINTS)).usual_threshold


def peaks(said: Scores, series: Series, seconds: float | None = None) -> Scores:
    """Through the hold that makes one alarm of an event; by default as long as the product's."""
    hold = PeakHold(HELD_POINTS * series.step_seconds if seconds is None else seconds)
    times = np.maximum.accumulate(series.times)
    return np.array(
        [hold.update(score, now) for score, now in zip(said.tolist(), times.tolist(), strict=True)]
    )


def alarms(detector: str, series: Series, *, per_week: float) -> NDArray[np.bool_]:
    """Where the product would begin an alarm: its tracker, its settings, a budget from the past.

    A row is the grid point nearest to it. Of several rows of one grid point the first counts.
    """
    settings = TrackerSettings(
        detector=detector,
        step_seconds=series.step_seconds,
        history_seconds=HISTORY_SECONDS,
        refresh_seconds=DAY_SECONDS,
        alarms_per_week=per_week,
    )
    tracker = Tracker(settings, name=series.name)
    counted = 0
    said = []
    for value, at in zip(series.values.tolist(), series.times.tolist(), strict=True):
        tracker.take(at, value)
        said.append(tracker.alarms > counted)
        counted = tracker.alarms
    return np.array(said)
