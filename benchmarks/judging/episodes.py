"""What those on call would see: windows that were found, and how often they were called for none.

An episode is a run of rows one after the other that alarm, of which a row lies outside windows;
rows on probation (benchmarks/judging/nab_score.py) count for nothing. Runs are not joined, however
near to each other, and one that begins in a window and goes on behind it is an episode as well. The
days are those outside windows, from the end of probation to the last row, by the stamps. A window
is found if a row of it alarms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.judging.corpus import Series
from benchmarks.judging.nab_score import OUTSIDE, probation, worth

DAY_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class Episodes:
    """Counts over files."""

    windows: int
    found: int
    episodes: int
    days: float

    @property
    def recall_ratio(self) -> float:
        return self.found / self.windows

    @property
    def per_series_day(self) -> float:
        return self.episodes / self.days


class Watch:
    """Files, ready for any number of sets of alarms."""

    def __init__(self, files: Sequence[Series]) -> None:
        self._files = files
        self._outside = [_outside(series) for series in files]
        self._days = sum(map(_days, files))

    def episodes(self, alarms: Sequence[NDArray[np.bool_]]) -> Episodes:
        """`alarms` says of each row of each file whether it alarms."""
        windows = found = runs = 0
        for series, outside, said in zip(self._files, self._outside, alarms, strict=True):
            begin = probation(len(series))
            false = said & outside
            runs += int(np.count_nonzero(false & ~np.concatenate(([False], false[:-1]))))
            windows += len(series.windows)
            found += sum(
                bool(said[max(first, begin) : last + 1].any()) for first, last in series.windows
            )
        return Episodes(windows, found, runs, self._days)


def _outside(series: Series) -> NDArray[np.bool_]:
    outside: NDArray[np.bool_] = worth(series).window == OUTSIDE
    outside[: probation(len(series))] = False
    return outside


def _days(series: Series) -> float:
    begin = probation(len(series))
    seconds = series.times[-1] - series.times[begin]
    for first, last in series.windows:
        if last >= begin:
            seconds -= series.times[last] - series.times[max(first, begin)]
    return float(seconds) / DAY_SECONDS
