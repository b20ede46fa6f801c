"""What takes processor time, as values: they, and what they make, can be sent between processes.

No clock, no network, no logging: same arguments, same answer.
"""

import math
from array import array
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tidegauge.control.signals.keyed import Columns
from tidegauge.promql.decode import PromqlError, Reason
from tidegauge.promql.decode_range import RangeBody, decode_range
from tidegauge.promql.span import Span
from tidegauge.thresholds.tracker import Tracker, TrackerSettings

Made_co = TypeVar("Made_co", covariant=True)


class Task(Protocol[Made_co]):
    """Something to be made."""

    def run(self) -> Made_co: ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an answer is none: a PromqlError, as a value."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Read:
    """A range query's answer, to be read."""

    body: RangeBody
    span: Span
    labels: tuple[str, ...]

    def run(self) -> tuple[Columns, int] | Refusal:
        """The values, and how many series the answer had."""
        try:
            answer = decode_range(self.body)
        except PromqlError as error:
            return Refusal(error.reason, str(error))
        if answer.warnings:
            return Refusal("partial", f"Prometheus warns: {answer.warnings[0]}")
        columns = Columns(self.span, self.labels)
        columns.add(answer.series)
        return columns, len(answer.series)


@dataclass(frozen=True, slots=True)
class Learn:
    """A history to be learned: the points of one series over a span, NaN where it has none."""

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
