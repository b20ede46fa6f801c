"""Reading answers of the OpenAI API without a socket: whole bodies, and streams line by line.

No clock, no network, no logging: same arguments, same answer. Written apart from the traffic
tap's reader, so that a fault in one shows against the other.
"""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

_EVENT = b"data:"
_DONE = b"[DONE]"


class AnswerError(Exception):
    """The answer is none: garbage, or an error that came in the middle of a stream."""


@dataclass(frozen=True, slots=True)
class _Usage:
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class _Delta:
    content: str | None = None
    reasoning_content: str | None = None


@dataclass(frozen=True, slots=True)
class _Choice:
    text: str | None = None
    delta: _Delta | None = None

    @property
    def has_content(self) -> bool:
        delta = self.delta or _Delta()
        return bool(self.text or delta.content or delta.reasoning_content)


@dataclass(frozen=True, slots=True)
class _Chunk:
    choices: list[_Choice]
    usage: _Usage | None = None


_CHUNK = TypeAdapter(_Chunk)


def whole_answer_tokens(body: bytes) -> int | None:
    """Generated tokens that an unstreamed answer states.

    Raises:
        AnswerError: it is no answer.
    """
    return _tokens(_chunk(body))


class StreamedAnswer:
    """A streamed answer as it comes. `content_chunks` grows with each chunk that holds content."""

    def __init__(self) -> None:
        self.done = False
        self.content_chunks = 0
        self._stated_tokens: int | None = None

    @property
    def tokens(self) -> int:
        """Generated tokens as stated, else content chunks, which most engines send per token."""
        return self.content_chunks if self._stated_tokens is None else self._stated_tokens

    def feed(self, line: bytes) -> None:
        """Take one line of the event stream.

        Raises:
            AnswerError: an event that is no chunk of an answer.
        """
        if not line.startswith(_EVENT):
            return
        event = line[len(_EVENT) :].strip()
        if event == _DONE:
            self.done = True
            return
        chunk = _chunk(event)
        self.content_chunks += any(choice.has_content for choice in chunk.choices)
        stated = _tokens(chunk)
        self._stated_tokens = self._stated_tokens if stated is None else stated


def _chunk(text: bytes) -> _Chunk:
    try:
        return _CHUNK.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    raise AnswerError(f"no answer: {path} {first['msg']}")


def _tokens(chunk: _Chunk) -> int | None:
    return None if chunk.usage is None else chunk.usage.completion_tokens
