"""The list of patterns as JSON: what they show, how often and when, never a line.

No clock, no network, no logging: same arguments, same answer.
"""

import json
from collections.abc import Iterable

from tidegauge.errors.tally import Seen


def listing(seen: Iterable[Seen], now: float) -> str:
    """One object per pattern, in their order; times in Unix seconds, rates per second."""
    return json.dumps({"patterns": [_entry(each, now) for each in seen]}, indent=1)


def _entry(seen: Seen, now: float) -> dict[str, str | float]:
    known = seen.pattern.known
    return {
        "id": seen.pattern.id,
        "pattern": seen.pattern.shows,
        "severity": seen.pattern.severity,
        "class": known.cls if known else "",
        "runbook": known.runbook if known else "",
        "count": seen.count,
        "first_seen_timestamp_seconds": round(seen.first, 3),
        "last_seen_timestamp_seconds": round(seen.last, 3),
        "per_second": float(f"{seen.rate_at(now):.4g}"),
    }
