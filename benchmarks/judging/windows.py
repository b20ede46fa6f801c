"""Means, deviations and medians of what a series was in the last seconds, row by row."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]  # a value for each row; NaN where there is none


@dataclass(frozen=True, slots=True)
class Spread:
    """Of the values in the window that ends with each row; NaN where it holds none."""

    mean: Column
    deviation: Column
    count: Column


def spread(times: Column, values: Column, seconds: float, *, ago: float = 0.0) -> Spread:
    """Over (t - ago - seconds, t - ago], as Prometheus's avg_over_time and stddev_over_time."""
    ends = np.searchsorted(times, times - ago, side="right")
    begins = np.searchsorted(times, times - ago - seconds, side="right")
    there = np.isfinite(values)
    middle = float(values[there].mean()) if there.any() else 0.0
    centered = np.where(there, values - middle, 0.0)  # or the sums of squares lose their digits
    with np.errstate(invalid="ignore", divide="ignore"):
        count, total, squares = (
            sums[ends] - sums[begins] for sums in map(_running, (there, centered, centered**2))
        )
        mean = np.where(count > 0, total / count, np.nan)
        variance = squares / count - mean**2
        noise = 1e-9 * np.mean(centered**2)
        deviation = np.sqrt(np.where(variance > noise, variance, 0.0 * mean))
    return Spread(mean + middle, deviation, count)


def median(times: Column, values: Column, seconds: float) -> Column:
    """Over (t - seconds, t], as quantile_over_time(0.5) has it."""
    held: deque[tuple[float, float]] = deque()
    ascending: list[float] = []
    found = []
    for at, value in zip(times.tolist(), values.tolist(), strict=True):
        while held and held[0][0] <= at - seconds:
            del ascending[bisect_left(ascending, held.popleft()[1])]
        if value == value:  # noqa: PLR0124 - not NaN
            held.append((at, value))
            insort(ascending, value)
        last = len(ascending) - 1
        found.append((ascending[last // 2] + ascending[-(-last // 2)]) / 2 if held else np.nan)
    return np.array(found)


def before(times: Column, column: Column, ago: float) -> Column:
    """What the column was `ago` seconds before each row: its last row until then."""
    rows = np.searchsorted(times, times - ago, side="right") - 1
    return np.where(rows >= 0, column[rows], np.nan)


def of_each(function: Callable[[Column], Column], *columns: Column) -> Column:
    """A row's least or greatest of several columns, without those that are NaN."""
    stacked = np.stack(columns)
    return np.where(np.isfinite(stacked).any(axis=0), function(stacked), np.nan)


def _running(column: NDArray[np.float64] | NDArray[np.bool_]) -> Column:
    return np.concatenate(([0.0], np.cumsum(column)))
