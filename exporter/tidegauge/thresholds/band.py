"""The seam of adaptive thresholds: a Detector is fed a signal's values, and gives a Band for each.

Rules for detectors: no clock, no network, no logging; the same values at the same times give the
same bands. What a detector keeps is bounded, and its docstring says by what. A band is made before
its value is seen. State never depends on `threshold`, which is only asked for edges.
"""

import math
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Band:
    """How unusual a value was, and the values that would not have been.

    `score` is in the detector's own unit, 0 for the ordinary and above; None without a value, or
    before the detector knows enough. `center` is a typical value now. `lower` and `upper` are the
    envelope of the values that score below the threshold that was asked for: a value outside
    reaches the threshold. An infinite edge is no edge. Only where a value inside of the envelope
    reaches it too, as in a gap between what is usual, is the edge on its side drawn in.
    """

    score: float | None
    center: float | None
    lower: float = -math.inf
    upper: float = math.inf


class Detector(Protocol):
    """A streaming detector of one signal.

    `learns_seconds`: a level shift is learned within this time. From then on, the noise that there
    was before the shift alarms no more than it did. `usual_threshold`: the score at which most
    signals alarm about once a week; None where scores do not mean the same for all signals.
    """

    learns_seconds: float
    usual_threshold: float | None

    def update(self, value: float | None, now: float, *, threshold: float = math.inf) -> Band:
        """Judge the value by all before it, then learn it.

        `value` is finite, or None for a missing point. `now` is the point's time in Unix seconds,
        which does not go back. With an infinite threshold no edges are made, which is cheaper.
        """
