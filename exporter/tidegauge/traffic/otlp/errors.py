"""Why a request failed, from what a span says of its error: a status, an exception, a code.

No clock, no network, no logging: same arguments, same answer.
"""

import re
from collections.abc import Mapping

from tidegauge.traffic.exchange import ErrorClass, Outcome
from tidegauge.traffic.hearing.error_class import error_class

Failure = tuple[Outcome, ErrorClass | None]

_UNKNOWN: Failure = ("server_error", "other")
_CLIENT_LEFT = 499  # as nginx says it

# Names as they are after `_plain`: OpenAI's exceptions and codes, gRPC's, and languages' own.
_BY_NAME: Mapping[str, Failure] = {
    "badrequest": ("client_error", "bad_request"),
    "invalidargument": ("client_error", "bad_request"),
    "invalidrequest": ("client_error", "bad_request"),
    "unprocessableentity": ("client_error", "bad_request"),
    "contextlengthexceeded": ("client_error", "context_length"),
    "contextwindowexceeded": ("client_error", "context_length"),
    "lengthfinishreason": ("client_error", "context_length"),
    "authentication": ("client_error", "auth"),
    "permissiondenied": ("client_error", "auth"),
    "unauthenticated": ("client_error", "auth"),
    "notfound": ("client_error", "not_found"),
    "modelnotfound": ("client_error", "not_found"),
    "ratelimit": ("client_error", "rate_limited"),
    "ratelimitexceeded": ("client_error", "rate_limited"),
    "insufficientquota": ("client_error", "rate_limited"),
    "resourceexhausted": ("client_error", "rate_limited"),
    "contentfilter": ("client_error", "content_filter"),
    "contentfilterfinishreason": ("client_error", "content_filter"),
    "contentpolicyviolation": ("client_error", "content_filter"),
    "timeout": ("server_error", "timeout"),
    "apitimeout": ("server_error", "timeout"),
    "readtimeout": ("server_error", "timeout"),
    "sockettimeout": ("server_error", "timeout"),
    "deadlineexceeded": ("server_error", "timeout"),
    "overloaded": ("server_error", "overloaded"),
    "unavailable": ("server_error", "overloaded"),
    "serviceunavailable": ("server_error", "overloaded"),
    "outofmemory": ("server_error", "out_of_memory"),
    "internal": ("server_error", "internal"),
    "internalserver": ("server_error", "internal"),
    "apiresponsevalidation": ("server_error", "malformed"),
    "jsondecode": ("server_error", "malformed"),
    "apiconnection": ("unreachable", "unreachable"),
    "connection": ("unreachable", "unreachable"),
    "connect": ("unreachable", "unreachable"),
    "connectionrefused": ("unreachable", "unreachable"),
    "unknownhost": ("unreachable", "unreachable"),
    "connectionreset": ("cut", "cut"),
    "remoteprotocol": ("cut", "cut"),
    "incompleteread": ("cut", "cut"),
    "cancelled": ("aborted", None),
    "canceled": ("aborted", None),
    "generatorexit": ("aborted", None),
    "keyboardinterrupt": ("aborted", None),
}

_NAME_MAX = 256
_LAST = re.compile(r"[^.:/$]*\Z")
_SUFFIX = re.compile(r"(?:error|exception)\Z")


def failure(error_type: object, status: int | None) -> Failure:
    """How a request ended that failed, and why; "other" where nothing known is said.

    >>> failure("openai.RateLimitError", None), failure(None, 503)
    (('client_error', 'rate_limited'), ('server_error', 'overloaded'))
    """
    named = _BY_NAME.get(_plain(error_type)) if isinstance(error_type, str) else None
    if named:
        return named
    return _of_status(status_in(error_type) if status is None else status)


def status_in(error_type: object) -> int | None:
    """The HTTP status, where that is what an error's type is.

    >>> status_in("429"), status_in("timeout")
    (429, None)
    """
    text = str(error_type) if isinstance(error_type, str | int) else ""
    return int(text) if len(text) == 3 and text.isascii() and text.isdigit() else None  # noqa: PLR2004


def _of_status(status: int | None) -> Failure:
    if status is None or not 400 <= status <= 599:  # noqa: PLR2004  # as RFC 9110 divides them
        return _UNKNOWN
    if status == _CLIENT_LEFT:
        return "aborted", None
    outcome: Outcome = "server_error" if status >= 500 else "client_error"  # noqa: PLR2004
    return outcome, error_class(None, status)


def _plain(error_type: str) -> str:
    """The last part of a qualified name, in one spelling.

    >>> _plain("java.net.SocketTimeoutException"), _plain("rate_limit_exceeded")
    ('sockettimeout', 'ratelimitexceeded')
    """
    last = _LAST.search(error_type[-_NAME_MAX:])
    bare = (last[0] if last else "").lower().replace("_", "").replace("-", "").replace(" ", "")
    return _SUFFIX.sub("", bare)
