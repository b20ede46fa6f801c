"""The band that is drawn agrees with the alarm: a value is outside if, and only if, it alarms."""

import math


def agreeing_edges(
    lower: float, upper: float, value: float, *, center: float, alarms: bool, toward: float
) -> tuple[float, float]:
    """The edges, moved past the value where they say otherwise than `alarms` does.

    A value that alarms inside of the envelope, as in a gap between what is usual, draws the edge on
    its side in to `toward`, or to right before the value if that is nearer to the center.

    >>> agreeing_edges(0.0, 9.0, 5.0, center=2.0, alarms=True, toward=3.0)
    (0.0, 3.0)
    >>> agreeing_edges(0.0, 9.0, 9.5, center=2.0, alarms=False, toward=3.0)
    (0.0, 9.5)
    """
    if not alarms:
        return min(lower, value), max(upper, value)
    if not lower <= value <= upper:
        return lower, upper
    if value >= center:
        upper = min(max(toward, center), math.nextafter(value, -math.inf))
        return min(lower, upper), upper
    lower = max(min(toward, center), math.nextafter(value, math.inf))
    return lower, max(lower, upper)
