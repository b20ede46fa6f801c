"""Three ways to hear an answer as it passes: as an event stream, as one document, or not at all.

No clock, no network, no logging: same arguments, same answer.
"""

from dataclasses import dataclass
from typing import Protocol

from tidegauge.traffic.answer import Facts, facts
from tidegauge.traffic.document import Copy, json_object
from tidegauge.traffic.exchange import NO_GAPS, Gaps
from tidegauge.traffic.gaps import GapCount
from tidegauge.traffic.sse import Event, EventDecoder

_END_MARKER = b"[DONE]"


@dataclass(frozen=True, slots=True)
class Heard:
    """What an answer told. `ended`: it said itself that it was whole. `first_at` is absolute."""

    ended: bool
    failed: bool = False
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    generation_tokens: int | None = None
    first_at: float | None = None
    gaps: Gaps = NO_GAPS


class Hearing(Protocol):
    """Hears one answer."""

    def piece(self, piece: bytes, now: float) -> None:
        """Hear the next bytes, however they were split."""

    def heard(self, now: float) -> Heard:
        """All that was told; to be asked once, at the end."""

    @property
    def ended(self) -> bool:
        """Whether the answer has said, so far, that it is whole."""


class StreamHearing:
    """An event stream: when each chunk of content came, and that the end marker did."""

    def __init__(self) -> None:
        self._decoder = EventDecoder()
        self._ended = False
        self._failed = False
        self._finish_reason: str | None = None
        self._prompt_tokens: int | None = None
        self._generation_tokens: int | None = None
        self._chunks = 0
        self._first_at: float | None = None
        self._gaps = GapCount()

    @property
    def ended(self) -> bool:
        return self._ended

    def piece(self, piece: bytes, now: float) -> None:
        for event in self._decoder.feed(piece):
            self._event(event, now)

    def heard(self, now: float) -> Heard:
        for event in self._decoder.flush():
            self._event(event, now)
        estimate = self._chunks or None
        tokens = self._generation_tokens
        return Heard(
            ended=self._ended,
            failed=self._failed,
            finish_reason=self._finish_reason,
            prompt_tokens=self._prompt_tokens,
            generation_tokens=estimate if tokens is None else tokens,
            first_at=self._first_at,
            gaps=self._gaps.gaps(),
        )

    def _event(self, event: Event, now: float) -> None:
        if event.data.strip() == _END_MARKER:
            self._ended = True
            return
        said = facts(json_object(event.data))
        self._failed = self._failed or said.failed or event.name == "error"
        self._remember(said)
        for choice in said.content:
            self._content(choice, now)

    def _remember(self, said: Facts) -> None:
        """Later chunks win: an engine that sends usage with every chunk sends running totals."""
        self._finish_reason = said.finish_reason or self._finish_reason
        if said.prompt_tokens is not None:
            self._prompt_tokens = said.prompt_tokens
        if said.generation_tokens is not None:
            self._generation_tokens = said.generation_tokens

    def _content(self, choice: int, now: float) -> None:
        self._gaps.chunk(choice, now)
        self._chunks += 1
        if self._first_at is None:
            self._first_at = now


class DocumentHearing:
    """An answer in one JSON document: read at its end, if it is not too large."""

    ended = False

    def __init__(self, limit_bytes: int) -> None:
        self._copy = Copy(limit_bytes)

    def piece(self, piece: bytes, now: float) -> None:
        del now
        self._copy.piece(piece)

    def heard(self, now: float) -> Heard:
        del now
        said = facts(self._copy.json_object())
        return Heard(
            ended=True,
            finish_reason=said.finish_reason,
            prompt_tokens=said.prompt_tokens,
            generation_tokens=said.generation_tokens,
            failed=said.failed,
        )


class NoHearing:
    """An answer that we cannot read, such as a compressed one, or that never came."""

    ended = False

    def piece(self, piece: bytes, now: float) -> None:
        """Let it pass."""

    def heard(self, now: float) -> Heard:
        del now
        return Heard(ended=True)
