"""One request and its answer, heard as their bytes pass: bytes in, an `Ended` out.

No clock, no network, no logging: same arguments, same answer. Nothing that a client or an engine
sends makes this raise: what cannot be read is not measured, and is passed on all the same. Bodies
are copied up to LIMIT_BYTES and let go at their end.
"""

from typing import Literal, assert_never

from tidegauge.traffic.document import Copy
from tidegauge.traffic.ended import TEXT_MAX, Ended, Texts
from tidegauge.traffic.exchange import Exchange, Outcome
from tidegauge.traffic.hearing import DocumentHearing, Heard, Hearing, NoHearing, StreamHearing
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.prompt import Asked, asked

LIMIT_BYTES = 4 << 20

End = Literal["complete", "aborted", "cut", "unreachable"]
"""How the transport ended: both bodies whole; the client left; the upstream left; it never came."""

# Engines serve them under a prefix too, or without /v1. llama.cpp's /completion is not theirs.
_MEASURED = ("/chat/completions", "/v1/completions")


def is_measured(method: str, path: str) -> bool:
    """Whether a request asks a model for text, and so becomes an `Exchange`."""
    return method == "POST" and path.endswith(_MEASURED)


class Wire:
    """Hears one request and its answer. `now` and `begun` come from one monotonic clock."""

    def __init__(self, *, labelling: Labelling, begun: float) -> None:
        self._labelling = labelling
        self._begun = begun
        self._body = Copy(LIMIT_BYTES)
        self._asked = Asked()
        self._status: int | None = None
        self._streamed: bool | None = None
        self._hearing: Hearing = NoHearing()

    def request_piece(self, piece: bytes) -> None:
        self._body.piece(piece)

    def request_end(self) -> None:
        """The request's body is whole: read it, and let its text go."""
        self._asked = asked(self._body.json_object())
        self._body = Copy(0)

    def answer_head(self, status: int, *, content_type: str, content_encoding: str) -> None:
        """The answer has begun; both headers as they came, "" where absent."""
        self._status = status
        self._streamed = content_type.strip().lower().startswith("text/event-stream")
        if content_encoding.strip().lower() not in ("", "identity"):
            self._hearing = NoHearing()
        elif self._streamed:
            self._hearing = StreamHearing()
        else:
            self._hearing = DocumentHearing(LIMIT_BYTES)

    def answer_piece(self, piece: bytes, now: float) -> None:
        self._hearing.piece(piece, now)

    def end(self, how: End, now: float) -> Ended:
        """What was measured; the wire is spent."""
        said_end = self._hearing.ended
        heard = self._hearing.heard(now)
        first_at = heard.first_at
        model = self._labelling.model(self._asked.model)
        exchange = Exchange(
            model=model,
            streamed=self._asked.streamed if self._streamed is None else self._streamed,
            outcome=_outcome(how, self._status, heard, said_end=said_end),
            status=self._status,
            finish_reason=heard.finish_reason,
            duration_seconds=now - self._begun,
            first_token_seconds=None if first_at is None else first_at - self._begun,
            gaps=heard.gaps,
            prompt_tokens=heard.prompt_tokens,
            generation_tokens=heard.generation_tokens,
            features=None,
            version=self._labelling.version(model),
        )
        prompt = self._asked.prompt
        return Ended(exchange, Texts(prompt=prompt[:TEXT_MAX], prompt_chars=len(prompt)))


def _outcome(how: End, status: int | None, heard: Heard, *, said_end: bool) -> Outcome:
    match how:
        case "unreachable" | "cut":
            return how
        case "aborted":
            # Many clients hang up on seeing the end marker, before the body's own end.
            return _answered(status, heard) if said_end else "aborted"
        case "complete":
            return _answered(status, heard)
        case _:
            assert_never(how)


def _answered(status: int | None, heard: Heard) -> Outcome:
    if status is not None and status >= 400:  # noqa: PLR2004  # as RFC 9110 divides statuses
        return "server_error" if status >= 500 else "client_error"  # noqa: PLR2004
    return "cut" if status is None or heard.failed or not heard.ended else "ok"
