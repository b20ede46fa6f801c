"""How a request ended, and why it failed, from all that is known at its end.

No clock, no network, no logging: same arguments, same answer.
"""

from typing import Literal, assert_never

from tidegauge.traffic.error_class import error_class
from tidegauge.traffic.exchange import ErrorClass, Outcome
from tidegauge.traffic.told import Told

End = Literal["complete", "aborted", "cut", "unreachable"]
"""How the transport ended: both bodies whole; the client left; the upstream left; it never came."""

# In the middle of a stream the client has done nothing wrong any more: what an engine calls a bad
# request there is its own failure. Of other failures it knows more than we do.
_KEPT_IN_STREAM: frozenset[ErrorClass] = frozenset(
    {
        "context_length",
        "rate_limited",
        "overloaded",
        "timeout",
        "content_filter",
        "out_of_memory",
    }
)


def outcome_of(how: End, status: int | None, told: Told, *, said_end: bool) -> Outcome:
    """How it ended; `said_end`: the answer said that it was whole before the transport ended."""
    match how:
        case "unreachable" | "cut":
            return how
        case "aborted":
            # Many clients hang up on seeing the end marker, before the body's own end.
            return _answered(status, told) if said_end else "aborted"
        case "complete":
            return _answered(status, told)
        case _:
            assert_never(how)


def error_of(outcome: Outcome, how: End, status: int | None, told: Told) -> ErrorClass | None:
    """Why it failed; None where it did not, or its client left."""
    match outcome:
        case "ok" | "aborted":
            return None
        case "client_error" | "server_error":
            return told.error or error_class(None, status)
        case "unreachable":
            return "unreachable"
        case "cut":
            return _cut(how, told)
        case _:
            assert_never(outcome)


def _answered(status: int | None, told: Told) -> Outcome:
    if status is None:
        return "cut"
    if status >= 400:  # noqa: PLR2004  # as RFC 9110 divides statuses
        return "server_error" if status >= 500 else "client_error"  # noqa: PLR2004
    unreadable = told.malformed and status < 300  # noqa: PLR2004  # a redirect needs no JSON
    return "cut" if told.error or unreadable or not told.ended else "ok"


def _cut(how: End, told: Told) -> ErrorClass:
    if told.error is not None:
        return told.error if told.error in _KEPT_IN_STREAM else "stream_error"
    # Half a document can't be read either, but that is not what is wrong with it.
    return "malformed" if told.malformed and how != "cut" else "cut"
