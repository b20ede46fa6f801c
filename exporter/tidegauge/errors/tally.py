"""Patterns counted: totals that only rise, a bounded number of series, a bounded list for people.

No clock, no network, no logging: `now` is in Unix seconds. It lives in one thread; what it gives
away does not change any more.
"""

import math
from collections import Counter, OrderedDict
from dataclasses import dataclass, replace

from tidegauge.errors.known import KNOWN
from tidegauge.errors.patterns import Pattern
from tidegauge.errors.severity import LEVELS, Level

OTHER = "other"
MINED_LEVELS: tuple[Level, ...] = ("warning", "error", "fatal")
_KEPT = 1000  # patterns that are listed; the one that was seen longest ago gives way
_IDLE_SECONDS = 3600.0  # a series whose pattern was not seen for so long may be another's
_RATE_SECONDS = 300.0  # the time constant of a pattern's rate
_EARNED = 10  # times that a pattern is counted as `other` before it may have that series


@dataclass(slots=True)
class Seen:
    """A pattern's history since the start."""

    pattern: Pattern
    count: int
    first: float
    last: float
    rate: float = 0.0  # per second, at `last`

    def add(self, now: float) -> None:
        self.rate = self.rate_at(now) + 1 / _RATE_SECONDS
        self.count += 1
        self.last = max(now, self.last)

    def rate_at(self, now: float) -> float:
        """Times per second, those of the last minutes counting most: exp(-age / 300 s)."""
        return self.rate * math.exp(-max(0.0, now - self.last) / _RATE_SECONDS)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many patterns without a name have a series, and how long nothing is new.

    Until `learning_seconds` have passed since the start no pattern is new, because all are.
    """

    series: int
    learning_seconds: float


class Tally:
    """Counts what `add` is told."""

    def __init__(self, limits: Limits, started: float) -> None:
        self._limits = limits
        self._learnt = started + limits.learning_seconds
        self._news: Counter[Pattern] = Counter()
        self.levels: Counter[Level] = Counter(dict.fromkeys(LEVELS, 0))
        self.new: Counter[Level] = Counter(dict.fromkeys(MINED_LEVELS, 0))
        self._seen: OrderedDict[tuple[str, Level], Seen] = OrderedDict()
        self._series: dict[tuple[str, Level], int] = {(k.name, k.severity): 0 for k in KNOWN}
        self._slots: OrderedDict[tuple[str, Level], float] = OrderedDict()  # when last seen
        self._others: Counter[Level] = Counter(dict.fromkeys(MINED_LEVELS, 0))

    def add(self, level: Level, pattern: Pattern | None, now: float) -> None:
        """Count one record: its level, and its pattern where it has one."""
        self.levels[level] += 1
        if pattern is None:
            return
        key = (pattern.id, pattern.severity)
        seen = self._seen.get(key) or self._meet(key, pattern, now)
        if pattern.known:
            self._news[pattern] += 1
        seen.add(now)
        self._seen.move_to_end(key)
        self._count(key, seen, now)

    def listed(self) -> tuple[Seen, ...]:
        """What was seen, most often first."""
        seen = (replace(seen) for seen in self._seen.values())
        return tuple(sorted(seen, key=lambda seen: (-seen.count, seen.pattern.id)))

    def news(self) -> tuple[tuple[Pattern, int], ...]:
        """Since this was asked last: known patterns and how often, and patterns that are new."""
        news, self._news = tuple(self._news.items()), Counter()
        return news

    def totals(self) -> tuple[tuple[str, Level, int], ...]:
        """Pattern's id or OTHER, severity, count: what becomes series."""
        return (
            *((name, level, count) for (name, level), count in self._series.items()),
            *((OTHER, level, count) for level, count in self._others.items()),
        )

    def with_series(self) -> tuple[Seen, ...]:
        """Of the patterns that were seen, those that have a series of their own."""
        return tuple(seen for key, seen in self._seen.items() if key in self._series)

    def _meet(self, key: tuple[str, Level], pattern: Pattern, now: float) -> Seen:
        seen = self._seen[key] = Seen(pattern, 0, now, now)
        if len(self._seen) > _KEPT:
            self._seen.popitem(last=False)
        if pattern.known is None and now >= self._learnt:
            self.new[pattern.severity] += 1
            self._news[pattern] += 1
        return seen

    def _count(self, key: tuple[str, Level], seen: Seen, now: float) -> None:
        if key not in self._series and not self._has_room(seen, now):
            self._others[key[1]] += 1
            return
        self._series[key] = self._series.get(key, 0) + 1
        if seen.pattern.known is None:
            self._slots[key] = now
            self._slots.move_to_end(key)

    def _has_room(self, seen: Seen, now: float) -> bool:
        """Whether there is a series for one more; the idlest gives way to one that is frequent."""
        if len(self._slots) < self._limits.series:
            return True
        idlest, last = next(iter(self._slots.items()), (None, now))
        if idlest is None or seen.count < _EARNED or now - last < _IDLE_SECONDS:
            return False
        del self._slots[idlest], self._series[idlest]
        return True
