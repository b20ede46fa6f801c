"""From a budget of alarms per week to a threshold: the one at which the signal's own past meets it.

An alarm is the first score at or above the threshold for `episode_seconds`: what is above again
within that time belongs to the same episode (the runs method of extreme value statistics; Coles,
An Introduction to Statistical Modeling of Extreme Values, 2001, section 5.3.2).
"""

import math
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

WEEK_SECONDS = 7 * 86400.0
EPISODE_SECONDS = 3600.0
EPISODE_POINTS = 12
MIN_POINTS = 200  # with fewer scores, nothing is said
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
    """The lowest threshold at which these scores, one step apart, alarm within the budget.

    >>> scores = [9.0, 7.0] * 10 + [0.0] * 1976 + [5.0] + [0.0] * 18 + [2.0]
    >>> calibrate(scores, alarms_per_week=2, step_seconds=300)
    Calibration(threshold=2.0000000000000004, fired=2, weeks=1.0)
    """
    scored = sum(score is not None for score in scores)
    weeks = scored * step_seconds / WEEK_SECONDS
    if scored < MIN_POINTS:
        return Calibration(math.inf, 0, weeks)
    apart = round(episode_seconds(step_seconds) / step_seconds)
    threshold = _lowest(scores, allowed=math.floor(alarms_per_week * weeks), apart=apart)
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


def _lowest(scores: Sequence[float | None], *, allowed: int, apart: int) -> float:
    """The lowest of thresholds above each of which no more than `allowed` episodes are found."""
    falling = sorted(
        ((score, at) for at, score in enumerate(scores) if score is not None and score > 0),
        reverse=True,
    )
    over: list[int] = []
    episodes = 0
    for score, at in falling:
        place = bisect_left(over, at)
        before = place > 0 and at - over[place - 1] <= apart
        after = place < len(over) and over[place] - at <= apart
        if before and after:
            episodes -= over[place] - over[place - 1] > apart
        elif not before and not after:
            episodes += 1
        if episodes > allowed:
            return max(math.nextafter(score, math.inf), LOWEST_THRESHOLD)
        insort(over, at)
    return LOWEST_THRESHOLD
