"""What an engine's exposition says once it is parsed: families of rows, nothing interpreted.

Names are OpenMetrics': a counter's rows end in `_total` whatever the engine writes, a histogram's
rows are `…_bucket`, `…_sum` and `…_count`. No clock, no network, no logging.

Both are tuples and no dataclasses: a thousand rows are made at each read, and a frozen dataclass
takes three times as long to make.
"""

from typing import NamedTuple


class RawSeries(NamedTuple):
    """One row. `value` may be anything that a float can be, NaN included."""

    name: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


class RawFamily(NamedTuple):
    """The rows that the engine put under one name."""

    name: str
    series: tuple[RawSeries, ...]
