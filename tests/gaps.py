"""Gaps that a test writes down in seconds."""

from bisect import bisect_left

from tidegauge.traffic.exchange import GAP_BOUNDS_SECONDS, Gaps


def gaps(*seconds: float) -> Gaps:
    """As an answer has them whose chunks came so far apart."""
    counts = [0] * (len(GAP_BOUNDS_SECONDS) + 1)
    for gap in seconds:
        counts[bisect_left(GAP_BOUNDS_SECONDS, gap)] += 1
    return Gaps(tuple(counts), sum(seconds))
