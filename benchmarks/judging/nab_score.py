"""The score of the Numenta Anomaly Benchmark, exactly.

Lavin and Ahmad, Evaluating Real-Time Anomaly Detection Algorithms: the Numenta Anomaly Benchmark,
2015 (arXiv:1510.03336), and what numenta/NAB's sweeper and runner make of it:

- Rows in a file's first 15 %, of which no more than 5,000 rows count, are on probation: nothing
  there is scored.
- A detection at a place y is worth s(y) = 2 / (1 + exp(5 y)) - 1. A window's row i has
  y = -(last - i + 1) / width, and its worth is divided by s(-1), so that the first row is worth 1.
  Of a window only its best detection counts, which is its first; a window without costs a miss.
- Outside, y = (i - last) / (width - 1) from the window before: a detection just behind it costs
  little. From y = 3, and where no window is before, it costs 1. Each costs.
- A profile weighs detections in windows, outside, and misses. Sums over files are normalised
  between that of no detection at all, 0, and one at each window's first row and nowhere else, 100.

A row is a detection if its score is above 0 and reaches the threshold, which is one for all files.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.judging.corpus import Series

Scores = NDArray[np.float64]

PROBATION_SHARE = 0.15
PROBATION_OF_AT_MOST = 5000
FAR = 3.0
OUTSIDE = -1


@dataclass(frozen=True, slots=True)
class Profile:
    """What a detection in a window, one outside, and a window without one weigh."""

    found: float
    false: float
    missed: float


PROFILES = {
    "standard": Profile(found=1.0, false=0.11, missed=1.0),
    "low_fp": Profile(found=1.0, false=0.22, missed=1.0),
    "low_fn": Profile(found=1.0, false=0.11, missed=2.0),
}


@dataclass(frozen=True, slots=True)
class Swept:
    """A normalised score, and the threshold that gives it."""

    score: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Worth:
    """What a detection at each row is worth, and the window it is in: its number, or OUTSIDE."""

    window: NDArray[np.int64]
    share: NDArray[np.float64]


def probation(rows: int) -> int:
    """How many rows a file of so many begins with that are not scored."""
    return math.floor(min(PROBATION_SHARE * rows, PROBATION_SHARE * PROBATION_OF_AT_MOST))


def worth(series: Series) -> Worth:
    """Unweighted: from 1 at a window's first row to nearly 0 at its last, down to -1 far behind."""
    rows = np.arange(len(series))
    window = np.full(len(rows), OUTSIDE)
    share = np.full(len(rows), -1.0)
    for number, (first, last) in enumerate(series.windows):
        width = last - first + 1
        inside, behind = slice(first, last + 1), slice(last + 1, None)
        window[inside] = number
        share[inside] = _sigmoid(-(last - rows[inside] + 1) / width) / _sigmoid(np.array(-1.0))
        share[behind] = _sigmoid((rows[behind] - last) / max(width - 1, 1))
    return Worth(window, share)


class Scoring:
    """A set of files and a detector's scores of each row, to be scored by any profile."""

    def __init__(self, files: Sequence[Series], scores: Sequence[Scores]) -> None:
        parts = []
        before = 0
        for series, said in zip(files, scores, strict=True):
            scored = slice(probation(len(series)), None)
            marks = worth(series)
            window = np.where(marks.window == OUTSIDE, OUTSIDE, marks.window + before)
            parts.append((said[scored], window[scored], marks.share[scored]))
            before += len(series.windows)
        if not before:
            raise ValueError("no window in any file: there is nothing to find")
        said, window, share = (np.concatenate(part) for part in zip(*parts, strict=True))
        # What no row beyond probation belongs to cannot be found, and is no miss either.
        self._windows, self._to_find = before, len(set(window.tolist()) - {OUTSIDE})
        falling = np.argsort(-said, kind="stable")[: int(np.count_nonzero(said > 0))]
        self._scores, self._window, self._share = said[falling], window[falling], share[falling]

    def best(self, profile: Profile) -> Swept:
        """The best score that any threshold gives."""
        return max(self._sweep(profile), key=lambda swept: swept.score)

    def at(self, profile: Profile, threshold: float) -> float:
        """The score at a threshold."""
        reached = [swept for swept in self._sweep(profile) if swept.threshold >= threshold]
        return reached[-1].score

    def _sweep(self, profile: Profile) -> list[Swept]:
        """From no detection to every one, a step for each score that occurs."""
        best = [-profile.missed] * self._windows
        total = null = -profile.missed * self._to_find
        span = profile.found * self._windows - null
        steps = [Swept(0.0, math.inf)]
        rows = zip(self._scores.tolist(), self._window.tolist(), self._share.tolist(), strict=True)
        for score, window, share in rows:
            if window == OUTSIDE:
                total += profile.false * share
            elif (value := profile.found * share) > best[window]:
                total += value - best[window]
                best[window] = value
            step = Swept(100 * (total - null) / span, score)
            if score == steps[-1].threshold:
                steps[-1] = step
            else:
                steps.append(step)
        return steps


def _sigmoid(place: NDArray[np.float64]) -> NDArray[np.float64]:
    near = np.minimum(place, FAR)  # exp of more would overflow far behind a window
    return np.where(place >= FAR, -1.0, 2 / (1 + np.exp(5 * near)) - 1)
