"""What accepts data at the face: an `Input`, and the one way in which it refuses.

An input is never served bare: a Guard stands before each (`web/inputs_guard.py`).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from aiohttp import web

JSON = "application/json"

Reason = Literal[
    "unauthenticated",
    "not_configured",
    "signature",
    "rate",
    "busy",
    "content_type",
    "too_large",
    "slow",
    "unreadable",
    "malformed",
]
"""unauthenticated: no token, or one that is not known; not_configured: from another machine, and
nothing says who may send; signature: the body is not signed by who may send; rate and busy: too
many at once; slow: the body did not come in time; unreadable: it broke off, or is not compressed
as it says; malformed: it is not what this input takes."""
REASONS: tuple[Reason, ...] = get_args(Reason)


class InputError(Exception):
    """A request is refused. The message is one line for the sender, with nothing of the body.

    `document` is what a sender who reads JSON gets instead of the usual one.
    """

    def __init__(
        self,
        status: int,
        reason: Reason,
        message: str,
        *,
        document: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason: Reason = reason
        self.document = document


Take = Callable[[web.Request, bytes], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Input:
    """Something that accepts data by POST.

    Attributes:
        name: the label value of `input`: fixed, or from the configuration.
        take: gets the request and its whole body, one at a time; may raise InputError, and
            nothing else.
        types: the media types that it takes, in lower case. A browser can't send these to
            another origin without asking first, and nobody answers it; so no text/plain here.
        signed: whether the body is signed by who may send. Where there is such a check it stands
            in for every other, and nobody is exempt.
        max_bytes: of the body, after decompression; None for what the configuration says.
        refusal: the answer to a request that is refused, from its status and why, where senders
            want more than a line of text.
    """

    name: str
    take: Take
    types: tuple[str, ...] = (JSON,)
    signed: Callable[[web.Request, bytes], bool] | None = None
    max_bytes: int | None = None
    refusal: Callable[[web.Request, int, str], web.Response] | None = None


@dataclass(frozen=True, slots=True)
class InputRules:
    """Who may send, and how much.

    `max_requests` under way, and `per_second` (twice as many at once), are of each input.
    `body_seconds` is the time for a whole body to come.
    """

    token_file: Path | None = None
    trust_loopback: bool = True
    max_bytes: int = 1 << 20
    max_requests: int = 16
    body_seconds: float = 10.0
    per_second: int = 1000
