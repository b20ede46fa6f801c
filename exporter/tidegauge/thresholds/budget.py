"""From a budget of alarms per week to a threshold, by what the signal's own past fires.

An alarm is a score at or above the threshold that peak_hold.py, told of such scores only, lets
through: one for each event. With W weeks of scores, a budget of B a week, and y_1 > y_2 > … the
scores that a hold lets through that is told of all, the threshold is the greater of

    the least that alarms B W times at most, rounded up               by the past
    y_(m+1) · exp(m h (q ^ (-1/m) - 1))                               by the tail

with m = 10, q = B W / m and h the mean of ln(y_i / y_(m+1)), i <= m: a Pareto tail (Hill 1975) of
which only m peaks are known, so that the prediction is wider than the fit (the posterior
predictive of an exponential ln y). The second leads where W is short, so that a short past errs on
the side of silence.

A detector whose scores mean the same for all signals says at which score they usually alarm, u.
Most of what its past alarms at were incidents, which have room in the budget and are not to silence
those to come: with T and T' the two lines for a quarter of the budget, the threshold is

    max(min(max(T, T'), u), 3/4 u, the least that alarms B max(W, 1) times at most)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tidegauge.thresholds.pareto_tail import reached
from tidegauge.thresholds.peak_hold import HELD_POINTS, PeakHold

WEEK_SECONDS = 7 * 86400.0
MIN_POINTS = 200  # with fewer scores, nothing is said, unless it is asked for
TAIL_PEAKS = 10  # of which a tail is fitted
MIN_TAIL_PEAKS = 3
LEAST_OF_USUAL = 0.75
QUIET_SHARE = 1 / 4  # of a budget, where no incidents are; 1/6 as good on NAB, 1/2 misses more
LEAST_WEEKS = 1.0  # a shorter past may spend a week's budget, where a usual threshold is known
LOWEST_THRESHOLD = 1.0  # a signal that never moved has scores of 0 only; its threshold is not 0


@dataclass(frozen=True, slots=True)
class Calibration:
    """The threshold, and what it would have fired on the scores that it was made from.

    `fired` is at most the budget of `weeks`, rounded up, or of one week if that is more.
    `threshold` is infinite while too little is known. `weeks` counts points with a score.
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
    min_points: int = MIN_POINTS,
) -> Calibration:
    """The threshold for these scores, one step apart; infinite from less than `min_points`.

    >>> scores = [9.0, 7.0] * 10 + [0.0] * 1976 + [5.0] + [0.0] * 18 + [2.0]
    >>> calibrate(scores, alarms_per_week=1, step_seconds=300)
    Calibration(threshold=5.000000000000001, fired=1, weeks=1.0)
    """
    known = sum(score is not None for score in scores)
    weeks = known * step_seconds / WEEK_SECONDS
    if known < min_points:
        return Calibration(math.inf, 0, weeks)
    scored = [(at * step_seconds, score) for at, score in enumerate(scores) if score]
    seconds = episode_seconds(step_seconds)
    budget = alarms_per_week * weeks
    if usual_threshold is None:
        threshold = max(_met(scored, budget, seconds=seconds), LOWEST_THRESHOLD)
    else:
        most = math.ceil(alarms_per_week * max(weeks, LEAST_WEEKS))
        threshold = max(
            min(_met(scored, QUIET_SHARE * budget, seconds=seconds), usual_threshold),
            LEAST_OF_USUAL * usual_threshold,
            _kept(scored, allowed=most, seconds=seconds),
        )
    fired = len(_let_through(scored, threshold, seconds=seconds))
    return Calibration(threshold, fired, weeks)


def _met(scored: Sequence[tuple[float, float]], budget: float, *, seconds: float) -> float:
    """The least threshold that keeps to the budget, by the past and by the tail."""
    peaks = sorted(_let_through(scored, 0.0, seconds=seconds), reverse=True)
    kept = _kept(scored, allowed=math.ceil(budget), seconds=seconds)
    return max(kept, _predicted(peaks[: TAIL_PEAKS + 1], budget))


def _let_through(
    scored: Sequence[tuple[float, float]], threshold: float, *, seconds: float
) -> list[float]:
    hold = PeakHold(seconds)
    return [score for now, score in scored if score >= threshold and hold.update(score, now) > 0]


def _kept(scored: Sequence[tuple[float, float]], *, allowed: int, seconds: float) -> float:
    """The least threshold, right above a score, at which no more than `allowed` alarms are left."""
    rising = [0.0, *sorted({score for _, score in scored})]
    low, high = 0, len(rising) - 1
    while low < high:
        middle = (low + high) // 2
        above = math.nextafter(rising[middle], math.inf)
        if len(_let_through(scored, above, seconds=seconds)) <= allowed:
            high = middle
        else:
            low = middle + 1
    return math.nextafter(rising[low], math.inf)


def _predicted(peaks: Sequence[float], budget: float) -> float:
    """The score that future peaks reach as often as the budget says; 0 if too few are known."""
    known = len(peaks) - 1
    if known < MIN_TAIL_PEAKS or budget >= known or peaks[0] == peaks[-1]:
        return 0.0
    return reached(peaks, budget)
