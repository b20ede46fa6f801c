"""From a budget of alarms per week to a threshold, by what the signal's own past would have fired.

An alarm is the first score at or above the threshold for `episode_seconds`: what is above again
within that time belongs to the same episode (the runs method of extreme value statistics; Coles,
An Introduction to Statistical Modeling of Extreme Values, 2001, section 5.3.2). With y_1 > y_2 > …
the levels at which a falling threshold meets its first episode, its second, and so on, in W weeks
of scores, and a budget of B a week, the threshold is the greater of

    y_(k+1), k = floor(B W)                      the past alarms k times at most
    y_(m+1) · exp(m h (q ^ (-1/m) - 1))          the future alarms B times a week, by the tail

with m = 10, q = B W / m and h the mean of ln(y_i / y_(m+1)), i <= m: a Pareto tail (Hill 1975) of
which only m levels are known, so that the prediction is wider than the fit (the posterior
predictive of an exponential ln y). The second leads where W is short: a tail that is heavier than
most detectors' own, so that a short past errs on the side of silence.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

WEEK_SECONDS = 7 * 86400.0
EPISODE_SECONDS = 3600.0
EPISODE_POINTS = 12
MIN_POINTS = 200  # with fewer scores, nothing is said
TAIL_LEVELS = 10  # of which a tail is fitted
MIN_TAIL_LEVELS = 3
LOWEST_THRESHOLD = 1.0  # a signal that never moved has scores of 0 only; its threshold is not 0


@dataclass(frozen=True, slots=True)
class Calibration:
    """The threshold, and what it would have fired on the scores that it was made from.

    `threshold` is infinite while too little is known. `weeks` counts points with a score only.
    """

    threshold: float
    fired: int
    weeks: float


def episode_seconds(step_seconds: float) -> float:
    """How long after a score above the threshold another belongs to the same episode."""
    return max(EPISODE_SECONDS, EPISODE_POINTS * step_seconds)


def calibrate(
    scores: Sequence[float | None], *, alarms_per_week: float, step_seconds: float
) -> Calibration:
    """The threshold for these scores, one step apart.

    >>> scores = [9.0, 7.0] * 10 + [0.0] * 1976 + [5.0] + [0.0] * 18 + [2.0]
    >>> calibrate(scores, alarms_per_week=2, step_seconds=300)
    Calibration(threshold=2.0000000000000004, fired=2, weeks=1.0)
    """
    scored = sum(score is not None for score in scores)
    weeks = scored * step_seconds / WEEK_SECONDS
    if scored < MIN_POINTS:
        return Calibration(math.inf, 0, weeks)
    apart = round(episode_seconds(step_seconds) / step_seconds)
    budget = alarms_per_week * weeks
    allowed = math.floor(budget)
    levels = _levels(scores, count=max(allowed, TAIL_LEVELS) + 1, apart=apart)
    past = math.nextafter(levels[allowed], math.inf) if allowed < len(levels) else 0.0
    threshold = max(past, _predicted(levels[: TAIL_LEVELS + 1], budget), LOWEST_THRESHOLD)
    return Calibration(threshold, len(alarms(scores, threshold, apart=apart)), weeks)


def alarms(scores: Sequence[float | None], threshold: float, *, apart: int) -> list[int]:
    """Where episodes begin: at or above the threshold, and not so for `apart` points before."""
    begun, last = [], -math.inf
    for at, score in enumerate(scores):
        if score is not None and score >= threshold:
            if at - last > apart:
                begun.append(at)
            last = at
    return begun


def _levels(scores: Sequence[float | None], *, count: int, apart: int) -> list[float]:
    """The greatest thresholds at which there are 1, 2, … `count` episodes, falling."""
    falling = sorted(
        ((score, at) for at, score in enumerate(scores) if score is not None and score > 0),
        reverse=True,
    )
    over: list[int] = []
    levels: list[float] = []
    episodes = 0
    for score, at in falling:
        place = bisect_left(over, at)
        before = place > 0 and at - over[place - 1] <= apart
        after = place < len(over) and over[place] - at <= apart
        if not before and not after:
            episodes += 1
        elif before and after and over[place] - over[place - 1] > apart:
            episodes -= 1  # it joins two
        insort(over, at)
        if episodes > len(levels):
            levels.append(score)
            if len(levels) == count:
                break
    return levels


def _predicted(levels: Sequence[float], budget: float) -> float:
    """The level that future episodes reach as often as the budget says; 0 if too few are known."""
    known = len(levels) - 1
    if known < MIN_TAIL_LEVELS:
        return 0.0
    lowest = levels[-1]
    spread = sum(math.log(level / lowest) for level in levels[:-1]) / known
    share = budget / known
    if share >= 1 or spread == 0:
        return 0.0
    return lowest * math.exp(known * spread * (share ** (-1 / known) - 1))
