"""The values that flow from sources to the exposition: Sample, Reading, Snapshot.

No clock, no network, no logging: same arguments, same answer.
"""

import math
from dataclasses import dataclass, field

from tidegauge.catalog import Metric


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram's state: cumulative counts per upper bound, and the sum of what was observed.

    `buckets` is ((upper bound, cumulative count), …), bounds ascending, the last one +Inf.

    >>> Distribution(((1.0, 2), (math.inf, 3)), 4.5).count
    3
    """

    buckets: tuple[tuple[float, float], ...]
    sum: float

    def __post_init__(self) -> None:
        if not self.buckets or not math.isinf(self.buckets[-1][0]):
            message = f"distribution {self.buckets!r}: the last bound must be +Inf"
            raise ValueError(message)

    @property
    def count(self) -> float:
        return self.buckets[-1][1]


@dataclass(frozen=True, slots=True)
class Sample:
    """One series' value now. `labels` are values in the order of `metric.labels`.

    An empty label value means that the label is absent, as in Prometheus.

    Raises:
        ValueError: as many values as labels are needed; a histogram needs a Distribution.
    """

    metric: Metric
    value: float | Distribution
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.metric.labels):
            message = f"{self.metric.name}: label values {self.labels!r} for {self.metric.labels!r}"
            raise ValueError(message)
        if isinstance(self.value, Distribution) != (self.metric.kind == "histogram"):
            message = f"{self.metric.name}: {self.value!r} is no value for a {self.metric.kind}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one read of one source gave: samples, or the reason why there are none (`error`).

    `taken_at` is in Unix seconds, `seconds` is how long the read took.
    """

    source: str
    taken_at: float
    seconds: float
    samples: tuple[Sample, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The latest reading of every source, and what the pipeline says of itself, at one moment."""

    taken_at: float
    readings: tuple[Reading, ...]
    own: tuple[Sample, ...] = field(default=())

    def samples(self) -> tuple[Sample, ...]:
        """Samples of all readings, then our own."""
        return (*(sample for reading in self.readings for sample in reading.samples), *self.own)
