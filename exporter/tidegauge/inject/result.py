"""What became of one request."""

from dataclasses import dataclass
from typing import Literal, get_args

Outcome = Literal["ok", "http_error", "cut", "timeout", "unreachable", "shed", "abandoned"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""How a request can end:

ok: a whole answer, streams up to their [DONE]; http_error: a status other than 200; cut: the answer
ended early or was garbage; timeout: no whole answer in time; unreachable: no connection; shed: not
sent, since too many were in flight; abandoned: in flight when we were told to stop.
"""


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds count from when the request was due, not from when it was sent.

    So waiting in this program is never hidden. None is what the answer did not say.
    """

    at_seconds: float
    kind: str
    stream: bool
    outcome: Outcome
    duration_seconds: float
    status: int | None = None
    first_token_seconds: float | None = None
    tokens: int | None = None
