"""Schedules as text: `0s:2,60s:8` is a list of (seconds, what holds or is reached then).

No clock, no network, no logging: same arguments, same answer.
"""

import re

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


class ScheduleError(ValueError):
    """A schedule that can't be read; the message gives the part that is wrong."""


def duration_seconds(text: str) -> float:
    """Seconds of a duration; a bare number is seconds.

    >>> duration_seconds("90s"), duration_seconds("1.5m")
    (90.0, 90.0)

    Raises:
        ScheduleError: it is none.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ScheduleError(f"{text!r} is no duration; write 500ms, 90s, 2m or 1h")
    return float(match[1]) * _SECONDS[match[2] or ""]


def parse_points(text: str) -> tuple[tuple[float, str], ...]:
    """(seconds, value) per point, ascending, the first at 0; a bare value holds from 0 on.

    >>> parse_points("0s:chat,80s:code")
    ((0.0, 'chat'), (80.0, 'code'))

    Raises:
        ScheduleError: a point is none, or is not later than the one before it.
    """
    parts = [part.strip() for part in text.split(",")]
    if text.strip() and ":" not in text and len(parts) == 1:
        parts = [f"0s:{parts[0]}"]
    points = tuple(_point(part) for part in parts)
    if points[0][0] != 0:
        raise ScheduleError(f"{parts[0]!r}: a schedule starts at 0s")
    for (before, _), (after, _), part in zip(points, points[1:], parts[1:], strict=False):
        if after <= before:
            raise ScheduleError(f"{part!r}: must be later than the point before it")
    return points


def _point(text: str) -> tuple[float, str]:
    at, separator, value = text.partition(":")
    if not separator or not value.strip():
        raise ScheduleError(f"{text!r} is no point of a schedule; write TIME:VALUE, such as 60s:8")
    return duration_seconds(at), value.strip()
