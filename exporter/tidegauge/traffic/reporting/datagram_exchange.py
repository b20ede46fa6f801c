"""An `Exchange` in bytes: fixed fields, closed vocabularies as indexes, then names and counts.

No clock, no network, no logging: same arguments, same answer.
"""

import math
import re
import struct
from collections.abc import Sequence
from typing import TypeVar

from tidegauge.traffic.exchange import (
    ERROR_CLASSES,
    FINISH_REASONS,
    GAP_BOUNDS_SECONDS,
    OUTCOMES,
    ROUTES,
    Exchange,
    Gaps,
)
from tidegauge.traffic.features import Features

NAME_BYTES_MAX = 1024
"""A longer name is not said whole; the sidecar, which does not know the half of it, says other."""

# flags, status, outcome, route, finish reason, error, duration, first token, prompt tokens,
# generation tokens, answer key, seconds of gaps
_FIXED = struct.Struct("<HHBBBBddQQQd")
_GAP_COUNTS = struct.Struct(f"<{len(GAP_BOUNDS_SECONDS) + 1}I")
_LENGTH = struct.Struct("<H")
_NONE = 255

_STREAMED = 1 << 0
_PROMPT_ESTIMATED = 1 << 1
_GENERATION_ESTIMATED = 1 << 2
_STATUS = 1 << 3
_FIRST_TOKEN = 1 << 4
_PROMPT_TOKENS = 1 << 5
_GENERATION_TOKENS = 1 << 6
_ANSWER_KEY = 1 << 7
_FEATURES = 1 << 8
_ALL_FLAGS = (1 << 9) - 1

_Word = TypeVar("_Word", bound=str)

_TOKENS_MAX = 2**53
_CLIENT = re.compile(r"[0-9a-f]{0,64}\Z")


class MalformedError(ValueError):
    """The bytes are those of no exchange."""


def exchange_bytes(exchange: Exchange) -> bytes:
    """The bytes of one exchange.

    Raises:
        struct.error, OverflowError: a number is beyond what can be said.
    """
    features = exchange.features
    return b"".join(
        (
            _FIXED.pack(
                _flags(exchange),
                exchange.status or 0,
                OUTCOMES.index(exchange.outcome),
                ROUTES.index(exchange.route),
                _index(FINISH_REASONS, exchange.finish_reason),
                _index(ERROR_CLASSES, exchange.error),
                exchange.duration_seconds,
                exchange.first_token_seconds or 0.0,
                exchange.prompt_tokens or 0,
                exchange.generation_tokens or 0,
                exchange.answer_key or 0,
                exchange.gaps.seconds,
            ),
            _GAP_COUNTS.pack(*exchange.gaps.counts),
            _name(exchange.model),
            _name(exchange.version),
            _name(exchange.client),
            b"" if features is None else _floats(features.to_numbers()),
        )
    )


def exchange_of(said: bytes) -> Exchange:
    """What `exchange_bytes` was given.

    Raises:
        MalformedError, struct.error, UnicodeDecodeError: the bytes are those of no exchange.
    """
    (
        flags,
        status,
        outcome,
        route,
        finish_reason,
        error,
        duration,
        first_token,
        prompt_tokens,
        generation_tokens,
        key,
        gap_seconds,
    ) = _FIXED.unpack_from(said)
    counts = _GAP_COUNTS.unpack_from(said, _FIXED.size)
    at = _FIXED.size + _GAP_COUNTS.size
    model, at = _named(said, at)
    version, at = _named(said, at)
    client, at = _named(said, at)
    if flags & ~_ALL_FLAGS or not _CLIENT.match(client):
        raise MalformedError
    return Exchange(
        model=model,
        streamed=bool(flags & _STREAMED),
        outcome=_member(OUTCOMES, outcome),
        status=status if flags & _STATUS else None,
        finish_reason=_member_or_none(FINISH_REASONS, finish_reason),
        duration_seconds=_seconds(duration),
        first_token_seconds=_seconds(first_token) if flags & _FIRST_TOKEN else None,
        gaps=Gaps(counts, _seconds(gap_seconds)),
        prompt_tokens=_tokens(prompt_tokens) if flags & _PROMPT_TOKENS else None,
        generation_tokens=_tokens(generation_tokens) if flags & _GENERATION_TOKENS else None,
        features=_features(said[at:], said_any=bool(flags & _FEATURES)),
        version=version,
        route=_member(ROUTES, route),
        error=_member_or_none(ERROR_CLASSES, error),
        client=client,
        answer_key=key if flags & _ANSWER_KEY else None,
        prompt_tokens_estimated=bool(flags & _PROMPT_ESTIMATED),
        generation_tokens_estimated=bool(flags & _GENERATION_ESTIMATED),
    )


def _flags(exchange: Exchange) -> int:
    return (
        _STREAMED * exchange.streamed
        | _PROMPT_ESTIMATED * exchange.prompt_tokens_estimated
        | _GENERATION_ESTIMATED * exchange.generation_tokens_estimated
        | _STATUS * (exchange.status is not None)
        | _FIRST_TOKEN * (exchange.first_token_seconds is not None)
        | _PROMPT_TOKENS * (exchange.prompt_tokens is not None)
        | _GENERATION_TOKENS * (exchange.generation_tokens is not None)
        | _ANSWER_KEY * (exchange.answer_key is not None)
        | _FEATURES * (exchange.features is not None)
    )


def _index(vocabulary: Sequence[str], word: str | None) -> int:
    return _NONE if word is None else vocabulary.index(word)


def _member(vocabulary: Sequence[_Word], index: int) -> _Word:
    if index >= len(vocabulary):
        raise MalformedError
    return vocabulary[index]


def _member_or_none(vocabulary: Sequence[_Word], index: int) -> _Word | None:
    return None if index == _NONE else _member(vocabulary, index)


def _name(name: str) -> bytes:
    said = name.encode("utf-8", "replace")
    if len(said) > NAME_BYTES_MAX:
        said = said[:NAME_BYTES_MAX].decode("utf-8", "ignore").encode()
    return _LENGTH.pack(len(said)) + said


def _named(said: bytes, at: int) -> tuple[str, int]:
    (length,) = _LENGTH.unpack_from(said, at)
    begin = at + _LENGTH.size
    end = begin + length
    if end > len(said) or length > NAME_BYTES_MAX:
        raise MalformedError
    return said[begin:end].decode(), end


def _floats(numbers: Sequence[float]) -> bytes:
    return struct.pack(f"<{len(numbers)}d", *numbers)


def _features(said: bytes, *, said_any: bool) -> Features | None:
    if not said_any:
        if said:
            raise MalformedError
        return None
    count, rest = divmod(len(said), 8)
    numbers = struct.unpack(f"<{count}d", said) if not rest else ()
    if not numbers or not all(map(math.isfinite, numbers)):
        raise MalformedError
    try:
        return Features.from_numbers(numbers)
    except ValueError:
        raise MalformedError from None


def _seconds(value: float) -> float:
    if not 0 <= value < math.inf:
        raise MalformedError
    return value


def _tokens(value: int) -> int:
    if value >= _TOKENS_MAX:
        raise MalformedError
    return value
