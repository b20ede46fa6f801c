"""Where the body of an HTTP/1 message ends (RFC 9112, 6 and 7): bytes in, how many are its own.

No clock, no network, no logging: same arguments, same answer. A body's bytes are never changed
here; what is told apart are the pieces of content in them and the framing around those.
"""

import re
from typing import Literal, Protocol

from tidegauge.traffic.proxying.head import (
    AnswerHead,
    HeadError,
    RequestHead,
    is_field_line,
    listed,
    values,
)

_LINE_BYTES = 16 << 10  # of a chunk's size with its extensions, or of one trailer
_TRAILER_LINES = 256
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[\t \x21-\x7e\x80-\xff]*)?\r\n")
_LENGTH = re.compile(rb"\d{1,18}")
_BODILESS = frozenset({204, 304})


class FramingError(Exception):
    """What was sent is no body of its kind."""


class Body(Protocol):
    """A body that is under way. `closes`: its end is the end of the connection."""

    closes: bool
    done: bool

    def take(self, data: bytes) -> tuple[int, list[bytes]]:
        """How many bytes of `data` belong to the body, and the content in them.

        Raises:
            FramingError: it is no such body.
        """
        ...


class Length:
    """As many bytes as were announced."""

    closes = False

    def __init__(self, size_bytes: int) -> None:
        self._left = size_bytes
        self.done = size_bytes == 0

    def take(self, data: bytes) -> tuple[int, list[bytes]]:
        taken = min(self._left, len(data))
        self._left -= taken
        self.done = self._left == 0
        return taken, [data if taken == len(data) else data[:taken]]


class UntilClose:
    """Everything until the connection ends, which nobody can tell from its being cut."""

    closes = True
    done = False

    def take(self, data: bytes) -> tuple[int, list[bytes]]:
        return len(data), [data]


class Chunked:
    """Chunks and trailers."""

    closes = False

    def __init__(self) -> None:
        self.done = False
        self._left = 0  # of the data of a chunk
        self._line = b""
        self._expected: Literal["size", "gap", "trailer"] = "size"
        self._trailers = 0

    def take(self, data: bytes) -> tuple[int, list[bytes]]:
        pieces: list[bytes] = []
        at, size = 0, len(data)
        while at < size and not self.done:
            if self._expected == "size" and not self._line:
                # Most often a chunk comes whole: one look at it instead of three.
                matched = _CHUNK_SIZE.match(data, at)
                if matched and (left := int(matched[1], 16)):
                    start = matched.end()
                    if data.startswith(b"\r\n", start + left):
                        pieces.append(data[start : start + left])
                        at = start + left + 2
                        continue
            if self._left:
                end = min(at + self._left, size)
                pieces.append(data[at:end])
                self._left -= end - at
            else:
                end = data.find(b"\n", at) + 1
                self._line += data[at : end or size]
                if len(self._line) > _LINE_BYTES:
                    raise FramingError("a line without an end")
                if end:
                    self._read(self._line)
                    self._line = b""
            at = end or size
        return at, pieces

    def _read(self, line: bytes) -> None:
        if self._expected == "size":
            matched = _CHUNK_SIZE.fullmatch(line)
            if not matched:
                raise FramingError("no chunk size")
            self._left = int(matched[1], 16)
            self._expected = "gap" if self._left else "trailer"
        elif self._expected == "gap":
            if line != b"\r\n":
                raise FramingError("a chunk that is longer than it said")
            self._expected = "size"
        elif line == b"\r\n":
            self.done = True
        else:
            self._trailers += 1
            if self._trailers > _TRAILER_LINES or not is_field_line(line.removesuffix(b"\r\n")):
                raise FramingError("no trailer")


def request_body(head: RequestHead) -> Body | None:
    """The body that a request announces.

    Raises:
        HeadError: it says so in two ways, or in one that nobody here understands.
    """
    codings = listed(head.fields, b"transfer-encoding")
    lengths = values(head.fields, b"content-length")
    if values(head.fields, b"transfer-encoding"):
        if lengths or head.minor == 0:
            raise HeadError("Transfer-Encoding beside Content-Length, or in HTTP/1.0")
        if codings != [b"chunked"]:
            raise HeadError("a Transfer-Encoding other than chunked", 501)
        return Chunked()
    if not lengths:
        return None
    body = Length(_length(lengths))
    return None if body.done else body


def answer_body(method: bytes, head: AnswerHead) -> Body | None:
    """The body that follows the final head of an answer to `method`.

    Raises:
        HeadError: nobody can tell where it ends.
    """
    if method == b"HEAD" or head.status in _BODILESS:
        return None
    if values(head.fields, b"transfer-encoding"):
        if listed(head.fields, b"transfer-encoding") != [b"chunked"]:
            raise HeadError("a Transfer-Encoding that was not asked for")
        return Chunked()
    lengths = values(head.fields, b"content-length")
    if not lengths:
        return UntilClose()
    body = Length(_length(lengths))
    return None if body.done else body


def _length(lengths: list[bytes]) -> int:
    if len(lengths) != 1 or not _LENGTH.fullmatch(lengths[0]):
        raise HeadError("no single Content-Length")
    return int(lengths[0])
