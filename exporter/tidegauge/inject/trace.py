"""Traces from CSV text: when each request came, or what the rate was over time.

Two forms are known by their header: `TIMESTAMP,…` (one request a line, as Azure publishes its
traces) and `t_s,req_per_s` (a rate over time, as ServeGen's clients add up to).
"""

import csv
from collections.abc import Iterable
from datetime import UTC, datetime

from tidegauge.inject.arrivals import RateSchedule
from tidegauge.inject.schedule import ScheduleError


class TraceError(ValueError):
    """A trace that can't be read; the message gives the line and what is wrong with it."""


def read_trace(lines: Iterable[str]) -> RateSchedule | tuple[float, ...]:
    """A rate over time, or the moments of the requests in seconds from the first one.

    Raises:
        TraceError: neither form, an unreadable line, or times that go back.
    """
    try:
        return _read(csv.DictReader(lines))
    except csv.Error as error:
        raise TraceError(str(error)) from None


def _read(rows: "csv.DictReader[str]") -> RateSchedule | tuple[float, ...]:
    names = rows.fieldnames or ()
    if "TIMESTAMP" in names:
        return _moments(rows)
    if {"t_s", "req_per_s"} <= set(names):
        return _rates(rows)
    header = ",".join(names)[:60]
    raise TraceError(
        f"line 1: header {header!r} is unknown; it must name TIMESTAMP, or t_s and req_per_s"
    )


def _moments(rows: "csv.DictReader[str]") -> tuple[float, ...]:
    moments: list[float] = []
    start: datetime | None = None
    for row in rows:
        at = _timestamp(row["TIMESTAMP"], line=rows.line_num)
        start = at if start is None else start
        seconds = (at - start).total_seconds()
        if moments and seconds < moments[-1]:
            raise TraceError(f"line {rows.line_num}: {row['TIMESTAMP']!r} is before the line above")
        moments.append(seconds)
    if not moments:
        raise TraceError("no request in it")
    return tuple(moments)


def _rates(rows: "csv.DictReader[str]") -> RateSchedule:
    points = tuple(
        (
            _number(row["t_s"], line=rows.line_num),
            _number(row["req_per_s"], line=rows.line_num),
        )
        for row in rows
    )
    try:
        return RateSchedule(points)
    except ScheduleError as error:
        raise TraceError(str(error)) from None


def _timestamp(text: str | None, *, line: int) -> datetime:
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        raise TraceError(f"line {line}: {text!r} is no timestamp") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _number(text: str | None, *, line: int) -> float:
    try:
        return float(text or "")
    except ValueError:
        raise TraceError(f"line {line}: {text!r} is no number") from None
