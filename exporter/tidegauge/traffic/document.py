"""JSON from outside, read with bounds. Nothing but WireError is raised, and it quotes nothing.

No clock, no network, no logging: same arguments, same answer.
"""

import json

# What costs is the number of values, not of bytes: 4 MiB of "[]," take most of a second to read.
# This many commas and brackets, at most, are read where there may be more; a prompt of 128k token
# ids has as many commas.
MARKS_MAX = 200_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WHITESPACE = " \t\n\r"  # JSON's
_decode = json.JSONDecoder().raw_decode


class WireError(ValueError):
    """Bytes that should be a JSON object and are not. The message holds none of them."""


class TooLargeError(WireError):
    """What they are is not known, since they are more than is read."""


def read_value(raw: bytes | bytearray, *, marks_max: int = MARKS_MAX) -> object:
    """What `raw` spells in JSON.

    Raises:
        TooLargeError: it has more than `marks_max` commas and brackets.
        WireError: it spells nothing.
    """
    if has_more_marks(raw, marks_max):
        raise TooLargeError("more values than are read of one JSON document")
    try:
        written = raw.removeprefix(_BYTE_ORDER_MARK).decode().strip(_WHITESPACE)
        value: object
        value, end = _decode(written)
        if end == len(written):
            return value
    except (ValueError, RecursionError):  # RecursionError: a million opening brackets
        pass  # it holds the document, so ours is not raised in its context
    raise WireError("not JSON")


def has_more_marks(raw: bytes | bytearray, marks_max: int) -> bool:
    """Whether there are more commas and brackets in it than that: known without reading it."""
    return len(raw) > marks_max and _marks(raw) > marks_max


def read_object(raw: bytes | bytearray, *, marks_max: int = MARKS_MAX) -> dict[str, object]:
    """The object that `raw` spells in JSON.

    Raises:
        WireError: as `read_value`, or it spells something else.
    """
    value = read_value(raw, marks_max=marks_max)
    if not isinstance(value, dict):
        raise WireError("JSON, but no object")
    return value


def mapping(value: object) -> dict[str, object] | None:
    """The value if it is a JSON object."""
    return value if isinstance(value, dict) else None


def members(value: object) -> list[object]:
    """The members of a JSON array; none if it is no array."""
    return value if isinstance(value, list) else []


def objects(value: object) -> list[dict[str, object]]:
    """The JSON objects among the members of a JSON array; none if it is no array."""
    return [member for member in members(value) if isinstance(member, dict)]


def text(value: object) -> str:
    """The value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def count(value: object) -> int | None:
    """The value if it is a whole number of things, from 0 to what a float counts exactly."""
    return value if type(value) is int and 0 <= value < 2**53 else None


class Copy:
    """A copy of what passed, kept up to `limit` bytes; beyond that all of it is let go."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: bytearray | None = bytearray()

    def piece(self, piece: bytes) -> None:
        if self._kept is None:
            return
        if len(self._kept) + len(piece) > self._limit:
            self._kept = None
        else:
            self._kept += piece

    def taken(self) -> bytearray | None:
        """What was copied, for the last time: it is let go here. None if it was too large."""
        kept, self._kept = self._kept, None
        return kept


def _marks(raw: bytes | bytearray) -> int:
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")
