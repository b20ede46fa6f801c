"""Errors gathered by kind, so that a flood of them leaves as few events with counts.

No clock, no network, no logging: same arguments, same answer.
"""

from collections import Counter
from dataclasses import replace

from tidegauge.errors.event import ErrorEvent

KINDS_MAX = 200
"""Kinds of error within one interval; those beyond are one kind, "other"."""


class Gathering:
    """A new kind of error is due at once; after that, each kind once in `interval_seconds`."""

    def __init__(self, interval_seconds: float, *, limit: int = KINDS_MAX) -> None:
        self._interval_seconds = interval_seconds
        self._limit = limit
        self._waiting: Counter[ErrorEvent] = Counter()
        self._left_at: dict[ErrorEvent, float] = {}

    def add(self, event: ErrorEvent) -> None:
        """Count an error, or several."""
        kind = event if event.count == 1 else replace(event, count=1)
        known = kind in self._waiting or kind in self._left_at
        if not known and len(self._waiting | self._left_at) >= self._limit:
            kind = ErrorEvent(event.kind, "other", "error", ("other",))
        self._waiting[kind] += event.count

    def due(self, now: float) -> tuple[ErrorEvent, ...]:
        """What may leave now, with counts."""
        self._left_at = {
            kind: at for kind, at in self._left_at.items() if now - at < self._interval_seconds
        }
        leaving = [kind for kind in self._waiting if kind not in self._left_at]
        self._left_at.update(dict.fromkeys(leaving, now))
        return tuple(replace(kind, count=self._waiting.pop(kind)) for kind in leaving)

    def rest(self) -> tuple[ErrorEvent, ...]:
        """All that waits, at the end."""
        rest = tuple(replace(kind, count=n) for kind, n in self._waiting.items())
        self._waiting.clear()
        return rest
