"""Published traces of requests, and NAB's series with the windows that people labelled."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tidegauge.inject.arrivals import RateSchedule

Points = list[tuple[float, float | None]]
"""(Unix seconds, value), ascending; None where nothing was measured."""


@dataclass(frozen=True, slots=True)
class Request:
    """When it came, in seconds from the trace's start, and its tokens."""

    at: float
    prompt: int
    answer: int


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time with a name, in Unix seconds."""

    name: str
    start: float
    end: float


def azure(path: Path) -> list[Request]:
    """TIMESTAMP,ContextTokens,GeneratedTokens: requests to one of Azure's services."""
    with path.open(encoding="utf-8") as file:
        rows = [
            (_seconds(row["TIMESTAMP"]), int(row["ContextTokens"]), int(row["GeneratedTokens"]))
            for row in csv.DictReader(file)
        ]
    return [Request(at - rows[0][0], prompt, answer) for at, prompt, answer in rows]


def mooncake(path: Path) -> list[Request]:
    """One JSON object a line; its time is in milliseconds."""
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [
        Request(row["timestamp"] / 1000, row["input_length"], row["output_length"]) for row in rows
    ]


def servegen(path: Path) -> RateSchedule:
    """t_s,req_per_s: the rate of all clients of one of Alibaba Cloud's models."""
    with path.open(encoding="utf-8") as file:
        rows = csv.DictReader(file)
        return RateSchedule(tuple((float(row["t_s"]), float(row["req_per_s"])) for row in rows))


def nab(folder: Path, name: str) -> tuple[Points, list[Span]]:
    """A series of the Numenta Anomaly Benchmark, and its labelled windows."""
    with (folder / "data" / name).open(encoding="utf-8") as file:
        points: Points = [
            (_seconds(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)
        ]
    windows = json.loads((folder / "labels" / "combined_windows.json").read_text())
    return points, [Span("", _seconds(start), _seconds(end)) for start, end in windows[name]]


def gridded(points: Points, step_seconds: float) -> Iterator[tuple[float, float]]:
    """The last value of each step, at the step's end, as an instant query would see it."""
    last: dict[int, float] = {}
    for at, value in points:
        if value is not None:
            last[-int(-at // step_seconds)] = value
    return ((step * step_seconds, value) for step, value in sorted(last.items()))


def _seconds(stamp: str) -> float:
    # Azure writes seven digits after the second, Python reads six.
    return datetime.fromisoformat(stamp[:26]).replace(tzinfo=UTC).timestamp()
