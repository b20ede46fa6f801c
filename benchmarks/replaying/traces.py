"""Traces of requests and rates of days, read from files that others published.

A trace is CSV with TIMESTAMP,ContextTokens,GeneratedTokens (Azure's) or JSON lines with timestamp
in milliseconds, input_length and output_length (Mooncake's): what it is is seen by its first line,
not by its name. A file of rates is CSV with t_s,req_per_s (ServeGen's).
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.replaying.counted import DAY_SECONDS

LEAST_REQUESTS = 1000
LEAST_SECONDS = 600.0
LONGEST_SECONDS = 6 * 3600.0

Numbers = NDArray[np.float64]
_Row = tuple[float, ...]
_Fields = Mapping[str, str]


class TraceError(ValueError):
    """A file that is no trace; the message gives the file and line, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Requests in order of time; `times` are seconds from the first on, the rest tokens."""

    name: str
    times: Numbers
    prompts: Numbers
    answers: Numbers

    def __len__(self) -> int:
        return len(self.times)

    @property
    def seconds(self) -> float:
        """From the first to the last, and the mean distance of two more."""
        return float(self.times[-1]) * len(self) / (len(self) - 1)


def read(path: Path) -> Trace:
    """All requests of a file. Rows out of order are put in order.

    Raises:
        TraceError: it cannot be read, is of neither form, or too little to be watched.
    """
    rows = np.array(list(_rows(path)), np.float64).reshape(-1, 3)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    if len(rows) < LEAST_REQUESTS or rows[-1, 0] - rows[0, 0] < LEAST_SECONDS:
        span = rows[-1, 0] - rows[0, 0] if len(rows) else 0
        raise TraceError(
            f"{path}: {len(rows)} requests in {span:.0f} s; needed are {LEAST_REQUESTS} in "
            f"{LEAST_SECONDS:.0f} s"
        )
    rows[:, 0] -= rows[0, 0]
    rows = rows[rows[:, 0] < LONGEST_SECONDS]
    return Trace(path.name, rows[:, 0], rows[:, 1], rows[:, 2])


def rates(path: Path) -> Numbers:
    """(days, 1440): requests in each minute of each whole day, the mean of all being 1.

    Raises:
        TraceError: it cannot be read, has no whole day, or a rate that is none.
    """
    rows = np.array(list(_parsed(path, csv.DictReader(_lines(path)), _rate)), np.float64)
    rows = rows.reshape(-1, 2)
    steps = np.diff(rows[:, 0])
    if len(rows) < 2 or steps.min() <= 0:  # noqa: PLR2004 - a step needs two
        raise TraceError(f"{path}: {len(rows)} rows; t_s must rise")
    days = int((rows[-1, 0] - rows[0, 0] + float(np.median(steps))) // DAY_SECONDS)
    if days < 1 or rows[:, 1].max() <= 0:
        raise TraceError(f"{path}: no whole day of rates above 0")
    minutes = rows[0, 0] + 60.0 * np.arange(days * 1440)
    of = rows[np.searchsorted(rows[:, 0], minutes, side="right") - 1, 1].reshape(days, 1440)
    relative: Numbers = of / of.mean()
    return relative


def _rows(path: Path) -> Iterator[_Row]:
    lines = _lines(path)
    first = lines[0] if lines else ""
    if first.lstrip().startswith("{"):
        return _parsed(path, map(_object, lines), _mooncake, first=1)
    if first.startswith("TIMESTAMP,"):
        return _parsed(path, csv.DictReader(lines), _azure)
    raise TraceError(
        f"{path}: first line {first[:60]!r}; must be TIMESTAMP,ContextTokens,GeneratedTokens or "
        'JSON such as {"timestamp": 0, "input_length": 40, "output_length": 6}'
    )


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TraceError(f"{path}: {error}") from None
    return [line for line in text.splitlines() if line.strip()]


def _parsed(
    path: Path, rows: Iterator[_Fields], one: Callable[[_Fields], _Row], *, first: int = 2
) -> Iterator[_Row]:
    number = first
    while True:
        try:
            made = one(next(rows))
        except StopIteration:
            return
        except (KeyError, TypeError, ValueError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise TraceError(f"{path}, line {number}: {what}") from None
        if not all(map(np.isfinite, made)) or min(made[1:]) < 0:
            raise TraceError(f"{path}, line {number}: {made}: must be numbers of 0 or more")
        yield made
        number += 1


def _object(line: str) -> _Fields:
    parsed: object = json.loads(line)
    if not isinstance(parsed, dict):
        raise TypeError(f"{line[:40]!r} is no JSON object")
    return {str(name): str(value) for name, value in parsed.items()}


def _mooncake(row: _Fields) -> _Row:
    return (
        float(row["timestamp"]) / 1000.0,
        float(row["input_length"]),
        float(row["output_length"]),
    )


def _azure(row: _Fields) -> _Row:
    # Python reads six digits after the second and passes over Azure's seventh.
    stamp = datetime.fromisoformat(row["TIMESTAMP"])
    at = stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
    return at.timestamp(), float(row["ContextTokens"]), float(row["GeneratedTokens"])


def _rate(row: _Fields) -> _Row:
    return float(row["t_s"]), float(row["req_per_s"])
