"""A folder in the form of NAB's: data/GROUP/NAME.csv, and labels/combined_windows.json over them.

Files are known by what the labels call them, and nothing depends on their names. What is labelled
but has no file is left out, and so is a file without a label; what is read and wrong is an error
that says where.
"""

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LABELS = Path("labels") / "combined_windows.json"


class CorpusError(ValueError):
    """A folder that cannot be scored; the message gives the file and line, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Series:
    """One file. `times` are Unix seconds of its stamps, read as UTC; windows hold row numbers.

    A window is (first row, last row), both inside. Where a stamp occurs twice, as when a clock is
    set back, its first row counts, as it does for NAB.
    """

    name: str
    times: NDArray[np.float64]
    values: NDArray[np.float64]
    windows: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def step_seconds(self) -> float:
        """How far apart rows are: the median of the steps ahead."""
        steps = np.diff(self.times)
        return float(np.median(steps[steps > 0]))


def read(folder: Path) -> list[Series]:
    """Every labelled file that is there, by name.

    Raises:
        CorpusError: no labels, no file of theirs, or one that is wrong.
    """
    labels = _labels(folder / LABELS)
    there = {name: folder / "data" / name for name in sorted(labels)}
    found = [_series(name, path, labels[name]) for name, path in there.items() if path.is_file()]
    if not found:
        raise CorpusError(f"{folder / 'data'}: none of the {len(labels)} labelled files is there")
    return found


def _labels(path: Path) -> Mapping[str, Sequence[Sequence[str]]]:
    try:
        labels: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path}: {error}") from None
    if not isinstance(labels, dict) or not all(map(_is_windows, labels.values())):
        raise CorpusError(
            f'{path}: not {{"GROUP/NAME.csv": [["first stamp", "last stamp"], …], …}}'
        )
    return labels


def _is_windows(windows: object) -> bool:
    return isinstance(windows, list) and all(
        isinstance(window, list) and len(window) == 2 and all(isinstance(at, str) for at in window)  # noqa: PLR2004 - from and to
        for window in windows
    )


def _series(name: str, path: Path, labels: Sequence[Sequence[str]]) -> Series:
    rows = list(_rows(path))
    times = np.array([at for at, _ in rows])
    if len(set(times.tolist())) < 2:  # noqa: PLR2004 - a step needs two
        raise CorpusError(f"{path}: fewer than two different stamps")
    first: dict[float, int] = {}
    for row, at in enumerate(times.tolist()):
        first.setdefault(at, row)
    try:
        windows = sorted((first[_seconds(a)], first[_seconds(b)]) for a, b in labels)
    except (KeyError, ValueError) as error:
        raise CorpusError(f"{path}: a window's edge is no stamp of it: {error}") from None
    edges = [edge for window in windows for edge in window]
    if edges != sorted(edges) or len({start for start, _ in windows}) < len(windows):
        raise CorpusError(f"{path}: windows overlap or end before they begin: {windows}")
    return Series(name, times, np.array([value for _, value in rows]), tuple(windows))


def _rows(path: Path) -> Iterator[tuple[float, float]]:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            table = csv.DictReader(lines)
            if not {"timestamp", "value"} <= set(table.fieldnames or ()):
                raise CorpusError(f"{path}:1: no columns timestamp and value: {table.fieldnames}")
            for row in table:
                yield _row(row, f"{path}:{table.line_num}")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: {error}") from None


def _row(row: Mapping[str, str | None], where: str) -> tuple[float, float]:
    try:
        at, value = _seconds(row["timestamp"] or ""), float(row["value"] or "")
    except ValueError as error:
        raise CorpusError(f"{where}: {error}") from None
    if not math.isfinite(value):
        raise CorpusError(f"{where}: the value is {value}, no finite number")
    return at, value


def _seconds(stamp: str) -> float:
    at = datetime.fromisoformat(stamp.strip())
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
