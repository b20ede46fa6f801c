"""The error event of a request that failed.

No clock, no network, no logging: same arguments, same answer.
"""

from tidegauge.errors.event import ErrorEvent, Severity
from tidegauge.traffic.exchange import Exchange


def event_of(exchange: Exchange) -> ErrorEvent | None:
    """None for a request that did not fail, or whose client left."""
    if exchange.error is None:
        return None
    return ErrorEvent(
        kind="exchange",
        cls=exchange.error,
        severity=_severity(exchange),
        fingerprint=(exchange.error, exchange.model),
        model=exchange.model,
        version=exchange.version,
    )


def _severity(exchange: Exchange) -> Severity:
    """What a client did wrong is no failure of ours, and out of memory rarely ends well."""
    if exchange.error == "out_of_memory":
        return "fatal"
    return "warning" if exchange.outcome == "client_error" else "error"
