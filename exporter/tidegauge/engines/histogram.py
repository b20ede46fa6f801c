"""A histogram's rows put together again: bucket rows and a sum row give one Distribution.

No clock, no network, no logging. Rows that make no histogram (no +Inf bucket, no sum, counts that
fall) give None: half a histogram would be a wrong one.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from tidegauge.engines.exposition import RawSeries
from tidegauge.samples import Distribution


def distribution(
    buckets: Iterable[RawSeries], total: RawSeries | None, *, scale: float
) -> Distribution | None:
    """The histogram of one series, its bounds and sum multiplied by `scale`."""
    if total is None or not math.isfinite(total.value * scale):
        return None
    steps = sorted((_bound(row) * scale, row.value) for row in buckets)
    return Distribution(tuple(steps), total.value * scale) if _whole(steps) else None


def merged(parts: Sequence[Distribution | None]) -> Distribution | None:
    """All parts as one; None if one is unknown or their bounds differ."""
    known = [part for part in parts if part is not None]
    bounds = {tuple(bound for bound, _ in part.buckets) for part in known}
    if len(known) != len(parts) or len(bounds) != 1:
        return None
    columns = zip(*(part.buckets for part in known), strict=True)
    steps = tuple((column[0][0], sum(count for _, count in column)) for column in columns)
    total = sum(part.sum for part in known)
    return Distribution(steps, total) if _whole(steps) and math.isfinite(total) else None


def _bound(row: RawSeries) -> float:
    try:
        return float(dict(row.labels).get("le", ""))
    except ValueError:
        return math.nan


def _whole(steps: Sequence[tuple[float, float]]) -> bool:
    ascending = all(low < high for (low, _), (high, _) in pairwise(steps))
    growing = all(few <= many for (_, few), (_, many) in pairwise(steps))
    sane = all(math.isfinite(count) and count >= 0 for _, count in steps)
    return bool(steps) and steps[-1][0] == math.inf and ascending and growing and sane
