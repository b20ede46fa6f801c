"""One span of a trace as we read it, whatever it was encoded in.

No clock, no network, no logging: same arguments, same answer. A span holds text until an exchange
is made of it; no `repr` shows any.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Side = Literal["client", "server", "other"]
"""Who says so: the program that asked, the engine that answered, or neither (queues)."""

SIDES: Mapping[int, Side] = {0: "client", 1: "client", 2: "server", 3: "client"}
"""By OTLP's number of a span's kind. A model in the same process is asked by an internal span."""

ERROR_CODE = 2
"""OTLP's number of a span's status that means: it failed."""

SPANS_MAX = 16_384
"""Spans of one request that are read. A collector sends 8,192 at once by default."""

SPAN_BYTES_MAX = 2 << 20
"""Of one span. The library decodes it in one go, in which nothing else runs; a hostile one of this
size costs 60 MB for a moment, and 0.2 s on a busy machine."""

PARTS_MAX = 4096
"""Attributes of a span, events, and members of a list that are read; SDKs send 128 at most."""


class OtlpError(Exception):
    """A body is no OTLP trace request. The message says why, with nothing of the body."""


class TooManySpansError(OtlpError):
    """A body holds more than SPANS_MAX spans."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened during a span; only attributes that we read."""

    name: str
    attributes: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Span:
    """`attributes` are those that we read: text, numbers, truths, and lists and mappings of them.

    Times are nanoseconds since 1970. `parent` is empty where there is none.
    """

    trace: bytes
    ident: bytes
    parent: bytes
    side: Side
    begin_ns: int
    end_ns: int
    failed: bool
    attributes: Mapping[str, object] = field(repr=False)
    events: tuple[Event, ...] = ()


UNREADABLE = Span(b"", b"", b"", "other", 0, 0, failed=False, attributes={})
"""Stands for a span that is not worth decoding; it is not whole."""


def is_whole(span: Span) -> bool:
    """Whether it has ids as OTLP wants them, and ends after it begins."""
    ids = ((span.trace, 16), (span.ident, 8))
    named = all(len(given) == size and any(given) for given, size in ids)
    return named and 0 < span.begin_ns <= span.end_ns
