"""An error event in the names of the Elastic Common Schema, as one line of JSON.

No clock, no network, no logging: same arguments, same answer. Names are dotted, as Splunk shows
fields and Elasticsearch takes them for objects. The schema has no name for a count: `tidegauge.*`
is ours, as it asks of fields that are not its own.
"""

import json

from tidegauge import __version__
from tidegauge.errors.event import ErrorEvent, Kind

ECS_VERSION = "8.11.0"  # any since 1.6 has all of these fields

_CATEGORY: dict[Kind, str] = {"exchange": "web", "pattern": "process"}


def ecs_line(event: ErrorEvent, moment: str) -> bytes:
    """One line, with its end. `moment` is when it left, such as 2026-01-02T03:04:05.678Z."""
    labels = {
        "labels.model": event.model,
        "labels.version": event.version,
        "labels.fingerprint": "/".join(event.fingerprint),
    }
    document = {
        "@timestamp": moment,
        "log.level": event.severity,
        "message": f"{event.cls} of {event.kind}" + _times(event.count),
        "ecs.version": ECS_VERSION,
        "event.kind": "event",
        "event.category": [_CATEGORY[event.kind]],
        "event.type": ["error"],
        "event.outcome": "failure",
        "event.dataset": "tidegauge.errors",
        "error.type": event.cls,
        "service.name": "tidegauge",
        "service.type": "tidegauge",
        "service.version": __version__,
        "tidegauge.error.kind": event.kind,
        "tidegauge.error.count": event.count,
        **{name: value for name, value in labels.items() if value},
    }
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _times(count: int) -> str:
    return f", {count} times" if count > 1 else ""
