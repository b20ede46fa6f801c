"""The best that can be made of scores on these very files: what a peer is granted, and what is not.

`best` chooses hold and threshold for each profile, and for the alarms: of all that keep within a
share of episodes, those that find the most windows. Holds are ours and a plain one, which passes
what is greater than all that it passed in its time, and so does better by scores that are shares.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import mean

import numpy as np

from benchmarks.judging.corpus import Series
from benchmarks.judging.episodes import Episodes, Watch
from benchmarks.judging.nab_score import PROFILES, Scores, Scoring, Swept
from benchmarks.judging.ours import peaks

HOLDS_SECONDS = (3600.0, 6 * 3600.0, 86400.0, 7 * 86400.0)
THRESHOLDS = 100  # tried for alarms, a like share of what scores at all apart


@dataclass(frozen=True, slots=True)
class Best:
    """Of each profile, and the alarms; None where no threshold keeps within the share."""

    scores: dict[str, float]
    alarms: Episodes | None


def best(files: Sequence[Series], said: Sequence[Scores], *, per_series_day: float) -> Best:
    """Over both holds, HOLDS_SECONDS and all thresholds."""
    held = [
        [hold(scores, series, seconds) for series, scores in zip(files, said, strict=True)]
        for seconds in HOLDS_SECONDS
        for hold in (peaks, _plain)
    ]
    scorings = [Scoring(files, one) for one in held]
    watch = Watch(files)
    within = [
        found
        for one in held
        for threshold in _thresholds(one)
        if (found := watch.episodes([scores >= threshold for scores in one])).per_series_day
        <= per_series_day
    ]
    return Best(
        {
            name: max(scoring.best(profile).score for scoring in scorings)
            for name, profile in PROFILES.items()
        },
        max(within, key=lambda found: found.found, default=None),
    )


def cross_validated(
    files: Sequence[Series], held: Sequence[Scores], *, halves: int
) -> dict[str, float]:
    """Means over random halves of the files, each scored with the threshold best on the other."""
    rng = Random(0)  # noqa: S311 - the same halves at every run
    found: dict[str, list[float]] = {name: [] for name in PROFILES}
    for _ in range(halves):
        order = rng.sample(range(len(files)), len(files))
        sides = [order[: len(order) // 2], order[len(order) // 2 :]]
        if any(not any(files[at].windows for at in side) for side in sides):
            continue
        one, other = (
            Scoring([files[at] for at in side], [held[at] for at in side]) for side in sides
        )
        for name, profile in PROFILES.items():
            found[name] += [
                one.at(profile, other.best(profile).threshold),
                other.at(profile, one.best(profile).threshold),
            ]
    return {name: mean(scores) for name, scores in found.items() if scores}


def optimised(files: Sequence[Series], held: Sequence[Scores]) -> dict[str, Swept]:
    """Each profile's best threshold."""
    scoring = Scoring(files, held)
    return {name: scoring.best(profile) for name, profile in PROFILES.items()}


def _plain(said: Scores, series: Series, seconds: float) -> Scores:
    held = np.zeros(len(said))
    peak, until = 0.0, -math.inf
    times = np.maximum.accumulate(series.times)
    for row, (score, now) in enumerate(zip(said.tolist(), times.tolist(), strict=True)):
        if score > (peak if now <= until else 0.0):
            held[row], peak, until = score, score, now + seconds
    return held


def _thresholds(held: Sequence[Scores]) -> Sequence[float]:
    falling = np.unique(np.concatenate(held))[::-1]
    falling = falling[falling > 0]
    return [float(falling[at]) for at in range(0, len(falling), max(1, len(falling) // THRESHOLDS))]
