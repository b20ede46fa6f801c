"""From a budget of alarms per week to a threshold, by what the signal's own past fires.

An alarm is a score at or above the threshold that peak_hold.py lets through: one for each event.
With y_1 > y_2 > … the scores that it lets through in W weeks, and a budget of B a week, the
threshold is the greater of

    y_(k+1), k = B W, rounded up                 the past alarms k times at most
    y_(m+1) · exp(m h (q ^ (-1/m) - 1))          the future alarms B times a week, by the tail

with m = 10, q = B W / m and h the mean of ln(y_i / y_(m+1)), i <= m: a Pareto tail (Hill 1975) of
which only m peaks are known, so that the prediction is wider than the fit (the posterior
predictive of an exponential ln y). The second leads where W is short, so that a short past errs on
the side of silence.

A detector whose scores mean the same for all signals says at which score they usually alarm. The
tail then may not ask for more than 5/4 of it, and the threshold is never less than 3/4: what a
short past has not seen, and what a long one has plenty of, both say less than many signals do.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tidegauge.thresholds.peak_hold import HELD_POINTS, PeakHold

WEEK_SECONDS = 7 * 86400.0
MIN_POINTS = 200  # with fewer scores, nothing is said
TAIL_PEAKS = 10  # of which a tail is fitted
MIN_TAIL_PEAKS = 3
MOST_OF_USUAL = 1.25
LEAST_OF_USUAL = 0.75
LOWEST_THRESHOLD = 1.0  # a signal that never moved has scores of 0 only; its threshold is not 0


@dataclass(frozen=True, slots=True)
class Calibration:
    """The threshold, and what it would have fired on the scores that it was made from.

    `fired` is at most the budget, rounded up. `threshold` is infinite while too little is known.
    `weeks` counts points with a score only.
    """

    threshold: float
    fired: int
    weeks: float


def episode_seconds(step_seconds: float) -> float:
    """How long one event keeps a lesser one from being another alarm."""
    return HELD_POINTS * step_seconds


def calibrate(
    scores: Sequence[float | None],
    *,
    alarms_per_week: float,
    step_seconds: float,
    usual_threshold: float | None = None,
) -> Calibration:
    """The threshold for these scores, one step apart.

    >>> scores = [9.0, 7.0] * 10 + [0.0] * 1976 + [5.0] + [0.0] * 18 + [2.0]
    >>> calibrate(scores, alarms_per_week=1, step_seconds=300)
    Calibration(threshold=5.000000000000001, fired=1, weeks=1.0)
    """
    scored = sum(score is not None for score in scores)
    weeks = scored * step_seconds / WEEK_SECONDS
    if scored < MIN_POINTS:
        return Calibration(math.inf, 0, weeks)
    peaks = sorted(_peaks(scores, step_seconds), reverse=True)
    budget = alarms_per_week * weeks
    allowed = math.ceil(budget)
    past = math.nextafter(peaks[allowed], math.inf) if allowed < len(peaks) else 0.0
    future = _predicted(peaks[: TAIL_PEAKS + 1], budget)
    least = LOWEST_THRESHOLD
    if usual_threshold is not None:
        future = min(future, MOST_OF_USUAL * usual_threshold)
        least = LEAST_OF_USUAL * usual_threshold
    threshold = max(past, future, least)
    return Calibration(threshold, sum(peak >= threshold for peak in peaks), weeks)


def _peaks(scores: Sequence[float | None], step_seconds: float) -> list[float]:
    hold = PeakHold(episode_seconds(step_seconds))
    passed = (hold.update(score, at * step_seconds) for at, score in enumerate(scores))
    return [score for score in passed if score > 0]


def _predicted(peaks: Sequence[float], budget: float) -> float:
    """The score that future peaks reach as often as the budget says; 0 if too few are known."""
    known = len(peaks) - 1
    if known < MIN_TAIL_PEAKS:
        return 0.0
    lowest = peaks[-1]
    spread = sum(math.log(peak / lowest) for peak in peaks[:-1]) / known
    share = budget / known
    if share >= 1 or spread == 0:
        return 0.0
    return lowest * math.exp(known * spread * (share ** (-1 / known) - 1))
