"""A pattern as an event that may leave this program.

No clock, no network, no logging: same arguments, same answer.
"""

from tidegauge.errors.event import ErrorEvent, Severity
from tidegauge.errors.patterns import Pattern
from tidegauge.errors.severity import Level

_SEVERITIES: dict[Level, Severity] = {"warning": "warning", "error": "error", "fatal": "fatal"}


def event_of(pattern: Pattern, count: int) -> ErrorEvent:
    """A known pattern that was seen `count` times, or one that is new."""
    cls = pattern.known.cls if pattern.known else "unknown"
    severity = _SEVERITIES.get(pattern.severity, "info")
    return ErrorEvent("pattern", cls, severity, (cls, pattern.id), count=count)
