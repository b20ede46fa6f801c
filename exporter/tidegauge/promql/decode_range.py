"""Answers of Prometheus's range queries as values, or one PromqlError.

Sans-IO: status and bytes in, values out. No clock, no network, no logging.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tidegauge.promql.decode import PromqlError, result, warnings


@dataclass(frozen=True, slots=True)
class RangeBody:
    """An answer as it came. To decode a megabyte takes a while, and may be done elsewhere."""

    status: int
    content: bytes


@dataclass(frozen=True, slots=True)
class RangeSeries:
    """One element of a range vector: (Unix seconds, value), ascending in time."""

    labels: tuple[tuple[str, str], ...]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class RangeAnswer:
    """A range query's result. A point that a series does not have is left out."""

    series: tuple[RangeSeries, ...]
    warnings: tuple[str, ...] = ()


def decode_range(body: RangeBody) -> RangeAnswer:
    """The answer to a range query.

    Raises:
        PromqlError: bad_query, http_status, too_large or parse.
    """
    tree, matrix = result(body.status, body.content)
    rows = matrix.get("result")
    if matrix.get("resultType") != "matrix" or not isinstance(rows, list):
        found = matrix.get("resultType")
        raise PromqlError("parse", f"a matrix is needed, not {found}")
    try:
        return RangeAnswer(tuple(_element(row) for row in rows), warnings(tree))
    except (TypeError, ValueError, KeyError, IndexError, OverflowError):
        raise PromqlError("parse", "the answer is not a range query's") from None


def _element(row: Mapping[str, object]) -> RangeSeries:
    labels, values = row["metric"], row.get("values", [])  # native histograms have no values
    if not isinstance(labels, dict) or not isinstance(values, list):
        raise TypeError
    pairs = sorted((str(name), str(text)) for name, text in labels.items())
    points = tuple((float(time), float(text)) for time, text in values)
    if not all(math.isfinite(time) for time, _ in points):
        raise ValueError
    return RangeSeries(tuple(pairs), points)
