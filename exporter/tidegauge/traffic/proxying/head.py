"""The heads of HTTP/1 messages, read strictly and written as they came (RFC 9112, 2 to 5).

No clock, no network, no logging: same arguments, same answer. Names keep their case, values their
bytes, and both their order. What the grammar does not allow (line breaks that are not CRLF, folded
lines, blanks before a colon, control characters) is no head: two readers could take it for two
different ones, which is how requests are smuggled.
"""

import re
from dataclasses import dataclass, field

HEAD_END = b"\r\n\r\n"

Fields = tuple[tuple[bytes, bytes], ...]
"""Field names and values in the order in which they came."""

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_VALUE = rb"[\t \x21-\x7e\x80-\xff]*"
_REQUEST_LINE = re.compile(rb"(%s) ([\x21-\x7e\x80-\xff]+) HTTP/(\d)\.(\d)" % _TOKEN)
_STATUS_LINE = re.compile(rb"HTTP/1\.(\d) ([1-9]\d\d)(?: (%s))?" % _VALUE)
_FIELD = re.compile(rb"(%s):(%s)" % (_TOKEN, _VALUE))
_ABSOLUTE = re.compile(rb"https?://([^/?#]+)([^#]*)", re.IGNORECASE)


class HeadError(Exception):
    """No head of HTTP/1. `status` is what a client that sent it is told."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request's first line and fields; `minor` is 0 for HTTP/1.0, else 1."""

    method: bytes
    target: bytes = field(repr=False)
    minor: int
    fields: Fields = field(repr=False)


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """An answer's first line and fields; `minor` as its sender says."""

    status: int
    reason: bytes = field(repr=False)
    minor: int
    fields: Fields = field(repr=False)


def read_request(block: bytes) -> RequestHead:
    r"""Read a head up to and with its empty line. A target in absolute form becomes path and Host.

    Raises:
        HeadError: it is none, or its Host is not said exactly once.

    >>> read_request(b"GET http://a/b?c HTTP/1.1\r\nHost: x\r\n\r\n").target
    b'/b?c'
    """
    line, fields = _read(block)
    matched = _REQUEST_LINE.fullmatch(line)
    if not matched:
        raise HeadError("no request line")
    method, target, major, minor = matched.groups()
    if major != b"1":
        raise HeadError("only HTTP/1 is spoken here", 505)
    hosts = len(values(fields, b"host"))
    if hosts > 1 or (minor != b"0" and not hosts):
        raise HeadError("Host must be there, once")
    if absolute := _ABSOLUTE.fullmatch(target):
        host, path = absolute.groups()
        target = path if path.startswith(b"/") else b"/" + path
        fields = (
            (b"Host", host),
            *(each for each in fields if each[0].lower() != b"host"),
        )
    elif not target.startswith(b"/") and target != b"*" and method != b"CONNECT":
        raise HeadError("no request target")
    return RequestHead(method, target, 0 if minor == b"0" else 1, fields)


def read_answer(block: bytes) -> AnswerHead:
    """Read a head up to and with its empty line.

    Raises:
        HeadError: it is none.
    """
    line, fields = _read(block)
    matched = _STATUS_LINE.fullmatch(line)
    if not matched:
        raise HeadError("no status line")
    minor, status, reason = matched.groups()
    return AnswerHead(int(status), reason or b"", int(minor), fields)


def written(first_line: bytes, fields: Fields) -> bytes:
    """The bytes of a head."""
    return b"".join(
        (first_line, b"\r\n", *(b"%s: %s\r\n" % each for each in fields), b"\r\n"),
    )


def values(fields: Fields, name: bytes) -> list[bytes]:
    """Every value that was given for a lower-case `name`."""
    return [value for key, value in fields if key.lower() == name]


def listed(fields: Fields, name: bytes) -> list[bytes]:
    """The lower-case members of a field that is a list, over all of its lines."""
    return [
        member
        for value in values(fields, name)
        for part in value.split(b",")
        if (member := part.strip().lower())
    ]


def is_field_line(line: bytes) -> bool:
    """Whether a line, without its CRLF, is a field: a trailer, say."""
    return _FIELD.fullmatch(line) is not None


def _read(block: bytes) -> tuple[bytes, Fields]:
    first, *lines = block[: -len(HEAD_END)].split(b"\r\n")
    fields = []
    for line in lines:
        matched = _FIELD.fullmatch(line)
        if not matched:
            raise HeadError("a line that is no field")
        name, value = matched.groups()
        fields.append((name, value.strip(b" \t")))
    return first, tuple(fields)
