"""Run lengths of sequential detectors: without a change, and how long until one is seen.

No clock, no network, no logging: same arguments, same answer. A run is a score a sample; an alarm
is the first score of at least a threshold. Runs end: a mean run length is all samples until alarms
or ends by the number of alarms, the maximum likelihood of exponential lengths that are censored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

_HALVINGS = 50


@dataclass(frozen=True, slots=True)
class Delay:
    """Samples from the change to the alarm, median of runs; those without count as `cap`."""

    median: float
    runs: int
    early: int  # alarmed before the change: left out
    censored: int  # not by the cap


def until(scores: Scores, threshold: float) -> int | None:
    """Samples up to the alarm, and with it; None if there is none."""
    reached = scores >= threshold
    return int(reached.argmax()) + 1 if reached.any() else None


def mean_run_length(runs: Sequence[Scores], threshold: float) -> float:
    """In samples; infinite if nothing alarmed.

    >>> mean_run_length([np.array([0.0, 1.0, 0.0]), np.zeros(4)], 1.0)
    6.0
    """
    lengths = [until(run, threshold) for run in runs]
    samples = sum(length or len(run) for length, run in zip(lengths, runs, strict=True))
    alarms = sum(length is not None for length in lengths)
    return samples / alarms if alarms else float("inf")


def threshold_at(runs: Sequence[Scores], wanted: float) -> float:
    """The least threshold with a mean run length of at least `wanted` samples on these runs."""
    low, high = 0.0, float(max(run.max() for run in runs)) * 1.001 + 1e-9
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if mean_run_length(runs, middle) < wanted:
            low = middle
        else:
            high = middle
    return high


def delay(runs: Sequence[Scores], threshold: float, *, change: int, cap: int) -> Delay:
    """Of runs that change after `change` samples and go on for `cap`; an alarm before is early."""
    found, early, censored = list[float](), 0, 0
    for run in runs:
        if until(run[:change], threshold) is not None:
            early += 1
            continue
        after = until(run[change:], threshold)
        censored += after is None
        found.append(cap if after is None else after)
    median = float(np.median(found)) if found else float("nan")
    return Delay(median, len(found), early, censored)
