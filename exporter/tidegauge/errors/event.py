"""One error, or several alike, as it may leave this program: closed vocabularies and numbers.

No clock, no network, no logging: same arguments, same answer. No field may hold text of a prompt,
an answer or a log line: an event is what forwarding sends to others.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["exchange", "pattern"]
"""exchange: a request that failed; pattern: a log line unlike those before it."""

Severity = Literal["info", "warning", "error", "fatal"]


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """What happened, `count` times.

    Attributes:
        kind: where it was seen.
        cls: one of ERROR_CLASSES for an exchange, the class of a known pattern (or "unknown")
            for a log line.
        severity: how bad it is.
        fingerprint: by what others group it: the class and the model of an exchange; the class
            and the pattern's id of a log line. Never text.
        model: as it is a label value; "" where it is not known.
        version: which the model runs in; "" where none is configured.
        count: how many times, at least 1.
    """

    kind: Kind
    cls: str
    severity: Severity
    fingerprint: tuple[str, ...]
    model: str = ""
    version: str = ""
    count: int = 1
