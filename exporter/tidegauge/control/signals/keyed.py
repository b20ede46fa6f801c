"""Series of an answer, told apart by the labels that are configured.

No clock, no network, no logging. A series is named by its values of these labels; what other labels
it has is dropped. Where two series have the same name at the same time, neither is believed.
"""

import math
import sys
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tidegauge.promql.decode import Series
from tidegauge.promql.decode_range import RangeSeries
from tidegauge.promql.span import Span

Key = tuple[str, ...]
"""Label values, in the order of the configured labels; empty where a series has no such label."""

_MISSING = math.nan


@dataclass(frozen=True, slots=True)
class Values:
    """Finite values by series at one time, and the names that more than one series had."""

    known: Mapping[Key, float]
    ambiguous: frozenset[Key]


def values(series: Sequence[Series], labels: Sequence[str]) -> Values:
    """The values of an instant query's answer.

    >>> values([Series((("model", "a"), ("version", "1")), 2.0)], ["model", "pool"]).known
    {('a', ''): 2.0}
    """
    named = [(key_of(each.labels, labels), each.value) for each in series]
    times = Counter(key for key, _ in named)
    ambiguous = frozenset(key for key, count in times.items() if count > 1)
    known = {key: x for key, x in named if math.isfinite(x) and key not in ambiguous}
    return Values(known, ambiguous)


def key_of(pairs: Sequence[tuple[str, str]], labels: Sequence[str]) -> Key:
    """A series' name among those of its signal."""
    found = dict(pairs)
    return tuple(found.get(label, "") for label in labels)


@dataclass(slots=True)
class Columns:
    """Values by series over a span; 8 bytes for each point.

    Of the pieces that are joined, series in `first` are kept, and others up to `most` more.
    """

    span: Span
    labels: Sequence[str]
    first: frozenset[Key] = frozenset()
    most: int = sys.maxsize
    known: dict[Key, "array[float]"] = field(default_factory=dict)
    ambiguous: set[Key] = field(default_factory=set)

    def add(self, series: Sequence[RangeSeries]) -> None:
        """Enter what a piece of the span had."""
        taken: dict[Key, set[int]] = {}
        for each in series:
            key = key_of(each.labels, self.labels)
            self._enter(key, each.points, taken.setdefault(key, set()))

    def join(self, piece: "Columns") -> None:
        """Enter a piece of the span that was read by itself."""
        first = self.span.index(piece.span.start)
        for key, values in piece.known.items():
            column = self.known.get(key)
            if column is None:
                if key not in self.first and len(self.known) >= len(self.first) + self.most:
                    continue
                column = self.known[key] = array("d", [_MISSING]) * self.span.points
            column[first : first + len(values)] = values
        self.ambiguous |= piece.ambiguous

    def living(self) -> list[Key]:
        """Series that have a value; first those that have one at the end."""
        alive = [key for key, column in self.known.items() if any(map(math.isfinite, column))]
        return sorted(alive, key=lambda key: (math.isnan(self.known[key][-1]), key))

    def points(self, key: Key) -> Iterator[tuple[float, float]]:
        """A series' finite values, and their times."""
        for index, value in enumerate(self.known[key]):
            if math.isfinite(value):
                yield self.span.at(index), value

    def last(self, key: Key) -> float:
        """When a series last had a value."""
        return max(at for at, _ in self.points(key))

    def at(self, index: int) -> dict[Key, float]:
        """All finite values at one point."""
        found = ((key, column[index]) for key, column in self.known.items())
        return {key: value for key, value in found if math.isfinite(value)}

    def _enter(self, key: Key, points: Sequence[tuple[float, float]], taken: set[int]) -> None:
        column = self.known.get(key)
        if column is None:
            column = self.known[key] = array("d", [_MISSING]) * self.span.points
        for time, value in points:
            index = self.span.index(time)
            if not 0 <= index < len(column):
                continue
            if index in taken:
                self.ambiguous.add(key)
                column[index] = _MISSING
            elif math.isfinite(value):
                column[index] = value
            taken.add(index)
