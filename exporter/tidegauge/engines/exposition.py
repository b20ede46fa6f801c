"""What an engine's exposition says once it is parsed: families of rows, nothing interpreted.

Names are OpenMetrics': a counter's rows end in `_total` whatever the engine writes, a histogram's
rows are `…_bucket`, `…_sum` and `…_count`. No clock, no network, no logging.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawSeries:
    """One row. `value` may be anything that a float can be, NaN included."""

    name: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RawFamily:
    """The rows that the engine put under one name."""

    name: str
    series: tuple[RawSeries, ...]
