"""What one answer has told so far, whatever API it came by.

No clock, no network, no logging: same arguments, same answer. However long an answer is, its
memory is bounded: see `gaps`, `usage` and `kept_text`.
"""

from tidegauge.traffic.answer_key import answer_key
from tidegauge.traffic.exchange import FINISH_REASONS, OTHER, ErrorClass
from tidegauge.traffic.hearing.error_class import error_class
from tidegauge.traffic.hearing.gaps import GapCount
from tidegauge.traffic.hearing.kept_text import KeptText
from tidegauge.traffic.hearing.tokens import estimated_tokens, utf8_bytes
from tidegauge.traffic.hearing.usage import Usage

_SAME_REASONS = {"function_call": "tool_calls"}  # the older name of the same thing


class Told:
    """Facts of one answer; the readers of documents fill them in.

    Attributes:
        ended: it said itself that it was whole.
        error: the class of the error that it told of, None if it told of none.
        malformed: a part of it could not be read.
        finish_reason: one of FINISH_REASONS; of several choices, that of the last to finish.
        key: `answer_key` of its id.
        first_at: when its first content came, None before; only of streams.
        text: what its first choice (index 0) says to the user.
    """

    def __init__(self, status: int | None = None) -> None:
        self.ended = False
        self.error: ErrorClass | None = None
        self.malformed = False
        self.finish_reason: str | None = None
        self.key: int | None = None
        self.first_at: float | None = None
        self.usage = Usage()
        self.gaps = GapCount()
        self.text = KeptText()
        self._status = status
        self._chunks = 0
        self._bytes = 0

    @property
    def generation_tokens(self) -> int | None:
        """An estimate: a stream's chunks of content, else by the length of the text."""
        return self._chunks or estimated_tokens(self._bytes) or None

    def chunk(self, choice: int, said: str, now: float) -> None:
        """A chunk of content of a stream has come; `said` is "" where the user is shown none."""
        self._chunks += 1
        if self.first_at is None:
            self.first_at = now
        self.gaps.chunk(choice, now)
        if said and not choice:
            self.text.add(said)

    def whole(self, choice: int, said: str, unsaid: str) -> None:
        """A choice has come at once; `unsaid` is what the user is not shown: reasoning, calls."""
        self._bytes += utf8_bytes(said) + utf8_bytes(unsaid)
        if not choice:
            self.text.add(said)

    def finish(self, reason: object) -> None:
        """Why a choice ended, as the engine spells it."""
        if isinstance(reason, str) and reason:
            reason = _SAME_REASONS.get(reason, reason)
            self.finish_reason = reason if reason in FINISH_REASONS else OTHER

    def identify(self, identifier: object) -> None:
        """The answer's id."""
        if isinstance(identifier, str) and identifier:
            self.key = answer_key(identifier)

    def fail(self, error: object) -> None:
        """It told of an error; the first counts, the rest follow from it."""
        if self.error is None:
            self.error = error_class(error, self._status)
