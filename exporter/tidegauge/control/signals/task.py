"""A history to be learned: all that makes a tracker, as values that can be sent to another process.

No clock, no network, no logging: same arguments, same answer.
"""

import math
from array import array
from dataclasses import dataclass

from tidegauge.promql.span import Span
from tidegauge.thresholds.tracker import Tracker, TrackerSettings


@dataclass(frozen=True, slots=True)
class Task:
    """The points of one series over a span; NaN where it has none."""

    settings: TrackerSettings
    name: str
    span: Span
    values: "array[float]"

    def run(self) -> Tracker:
        """The tracker of who has followed the series all along."""
        tracker = Tracker(self.settings, name=self.name)
        points = (
            (self.span.at(index), value)
            for index, value in enumerate(self.values)
            if math.isfinite(value)
        )
        tracker.rebuild(points, until=self.span.end)
        return tracker
