"""Rules that others run in Prometheus, emulated on a file's rows: never their own code.

Each gives how far outside of its band a value is, as a score of 1 at the band's edge, and where the
rule as it is published would fire.

- Grafana's promql-anomaly-detection, rules/adaptive.yml: the mean of an hour, and around it the
  widest of 2 deviations (those above half of the mean, averaged over 26 hours), half of the mean,
  and mean and 2 deviations of the same hour a day and a week ago; never below 0. Values that are
  not above 0 are left out. It fires after 5 minutes outside.
- Its rules/robust.yml: the median of a day, and around it the widest of 2 median deviations, half
  of the median, and the same hour's a day and a week ago; the median of an hour is held against it.
- Z-scores: distance from the mean of the last day or week, in deviations, against 3.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.judging.corpus import Series
from benchmarks.judging.windows import Column, before, median, of_each, spread

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
WEEK = 7 * DAY
DEVIATIONS = 2.0
MARGIN = 0.5  # of the mean or the median
FOR_SECONDS = 5 * MINUTE
Z_THRESHOLD = 3.0
Z_ROWS = 30  # fewer have no deviation to speak of
OFF_CONSTANT = 1000.0


@dataclass(frozen=True, slots=True)
class Ruled:
    """Of each row: how far outside, and does the rule fire."""

    scores: Column
    fires: NDArray[np.bool_]


def adaptive(series: Series) -> Ruled:
    """Grafana's rules/adaptive.yml."""
    times = np.maximum.accumulate(series.times)
    level = np.where(series.values > 0, series.values, np.nan)
    hour = spread(times, level, HOUR)
    busy = np.where(hour.deviation > MARGIN * hour.mean, hour.deviation, np.nan)
    wide = DEVIATIONS * spread(times, busy, 26 * HOUR).mean
    day, week = (
        spread(times, level, HOUR, ago=ago) for ago in (DAY - 30 * MINUTE, WEEK - 30 * MINUTE)
    )
    upper = [hour.mean + wide, (1 + MARGIN) * hour.mean]
    lower = [hour.mean - wide, (1 - MARGIN) * hour.mean]
    for past in (day, week):
        upper.append(past.mean + DEVIATIONS * past.deviation)
        lower.append(past.mean - DEVIATIONS * past.deviation)
    return _ruled(times, level, hour.mean, lower, upper)


def robust(series: Series) -> Ruled:
    """Grafana's rules/robust.yml."""
    times = np.maximum.accumulate(series.times)
    level = np.where(series.values > 0, series.values, np.nan)
    middle = median(times, level, DAY)
    wide = DEVIATIONS * median(times, np.abs(level - middle), DAY)
    hour = median(times, level, HOUR)
    upper = [middle + wide, (1 + MARGIN) * middle]
    lower = [middle - wide, (1 - MARGIN) * middle]
    for ago in (DAY - 15 * MINUTE, WEEK - 15 * MINUTE):
        past = before(times, hour, ago)
        away = DEVIATIONS * median(times, np.abs(before(times, level, ago) - past), HOUR)
        upper.append(past + away)
        lower.append(past - away)
    return _ruled(times, hour, middle, lower, upper)


def z_score(seconds: float) -> Callable[[Series], Ruled]:
    """Against the values before it, of so many seconds."""

    def rule(series: Series) -> Ruled:
        times = np.maximum.accumulate(series.times)
        known = spread(times, series.values, seconds)
        mean, deviation = (np.roll(column, 1) for column in (known.mean, known.deviation))
        away = np.abs(series.values - mean)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(away > 0, np.minimum(away / deviation, OFF_CONSTANT), 0.0)
        scores = np.where(np.arange(len(z)) < Z_ROWS, 0.0, z) / Z_THRESHOLD
        return Ruled(scores, scores >= 1)

    return rule


RULES: Mapping[str, Callable[[Series], Ruled]] = {
    "Grafana's adaptive rules, emulated": adaptive,
    "Grafana's robust rules, emulated": robust,
    "z-score of a day": z_score(DAY),
    "z-score of a week": z_score(WEEK),
}


def _ruled(
    times: Column, level: Column, middle: Column, lower: list[Column], upper: list[Column]
) -> Ruled:
    top = of_each(np.fmax.reduce, *upper)
    bottom = np.maximum(of_each(np.fmin.reduce, *lower), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        above = (level - middle) / (top - middle)
        below = (middle - level) / (middle - bottom)
    scores = np.nan_to_num(np.fmax(above, below), nan=0.0, posinf=OFF_CONSTANT, neginf=0.0)
    return Ruled(np.maximum(scores, 0.0), _for_a_while((level > top) | (level < bottom), times))


def _for_a_while(outside: NDArray[np.bool_], times: Column) -> NDArray[np.bool_]:
    """Where it has been outside for FOR_SECONDS, as an alert's `for` has it."""
    since = np.where(outside & ~np.concatenate(([False], outside[:-1])), times, -np.inf)
    return outside & (times - np.maximum.accumulate(since) >= FOR_SECONDS)
