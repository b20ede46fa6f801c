"""The error event of a request that failed.

No clock, no network, no logging: same arguments, same answer.
"""

from tidegauge.errors.event import ErrorEvent, Severity
from tidegauge.traffic.counted import error_class
from tidegauge.traffic.exchange import ErrorClass, Exchange


def event_of(exchange: Exchange) -> ErrorEvent | None:
    """None for one that did not fail, or whose client left; else of the class that it counts as."""
    failure = error_class(exchange)
    if failure is None:
        return None
    return ErrorEvent(
        kind="exchange",
        cls=failure,
        severity=_severity(exchange, failure),
        fingerprint=(failure, exchange.model),
        model=exchange.model,
        version=exchange.version,
    )


def _severity(exchange: Exchange, failure: ErrorClass) -> Severity:
    """What a client did wrong is no failure of ours, and out of memory rarely ends well."""
    if failure == "out_of_memory":
        return "fatal"
    return "warning" if exchange.outcome == "client_error" else "error"
